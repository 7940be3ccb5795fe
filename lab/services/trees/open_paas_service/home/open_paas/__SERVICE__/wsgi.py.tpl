# -*- coding: utf-8 -*-
from lab.open_paas.__SERVICE__ import application  # noqa
