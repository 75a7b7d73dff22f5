"""Settings as flat values by parameter name, as forms, presets and project files have them."""

from __future__ import annotations

from typing import Any

from fresco_settings import RestyleSettings, parameters_of

Values = dict[str, Any]
"""By parameter name, such as "strength" or "attention.spatial"; what is not there is left open."""

OF_ONE_CLIP = frozenset(one.name for one in parameters_of(RestyleSettings) if one.is_of_clip)
"""What belongs to a clip, not to a look that can be carried to another one."""
