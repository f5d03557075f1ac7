"""Settings: where they come from, what they may be. The only reader of the environment."""

from monometer.config.environment import inherited_settings, pass_to_workers, process_environ
from monometer.config.load import load_settings
from monometer.config.settings import ConfigError, MeterConfig, Settings

__all__ = [
    "ConfigError",
    "MeterConfig",
    "Settings",
    "inherited_settings",
    "load_settings",
    "pass_to_workers",
    "process_environ",
]
