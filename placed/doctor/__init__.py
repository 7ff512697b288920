"""`placed doctor`: tries every link of the chain, from the settings to the topics, and changes nothing."""

from placed.doctor.report import Chart, NamedFinding, refused_settings
from placed.doctor.run_checks import examine

__all__ = ["Chart", "NamedFinding", "examine", "refused_settings"]
