# SPDX-License-Identifier: Apache-2.0
# Copyright The ccdm authors
"""conf - Sphinx's configuration: "make html" """
import os

with open(os.path.join(os.path.dirname(__file__), "../VERSION")) as f:
    release = version = f.read().strip()

project = "ccdm"
author = "The ccdm authors"
copyright = author

exclude_patterns = ["bench", "man", "policy"]
html_theme = "alabaster"
html_title = "ccdm " + release
html_theme_options = {
    "description": "A disk that its host can neither read, nor change or roll back unnoticed",
    "fixed_sidebar": True,
    "page_width": "70em",
    "sidebar_collapse": False,
}
html_copy_source = False
html_show_sphinx = False
highlight_language = "none"
smartquotes = False
