from __future__ import annotations


def test_packages_are_counted_with_what_they_require(module):
    install_size = module("install_size")
    required = install_size.find_required("jinja2")
    assert {"jinja2", "markupsafe"} <= required
    assert "babel" not in required
    assert install_size.size_of("jinja2") > 100_000
    assert install_size.normalise("Jinja_2.x") == "jinja-2-x"


def test_what_is_not_installed_is_not_counted(module):
    install_size = module("install_size")
    assert install_size.find_required("no-such-package") == set()
    assert install_size.describe(set()) == {"packages": 0, "megabytes": 0}
