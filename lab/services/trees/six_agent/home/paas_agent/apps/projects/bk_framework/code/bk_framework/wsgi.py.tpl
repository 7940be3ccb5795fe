# -*- coding: utf-8 -*-
from lab.programs.saas import application  # noqa
