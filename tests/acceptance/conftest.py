"""What acceptance tests compare is told in full, in the modules that compare for them too."""

import pytest

pytest.register_assert_rewrite("tests.support.whole_trace")
