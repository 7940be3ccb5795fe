# -*- coding: utf-8 -*-
from lab.open_paas6.__SERVICE__ import application  # noqa
