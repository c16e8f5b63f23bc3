"""Settings of the registry and of its gate."""

from __future__ import annotations

from pathlib import Path

from pydantic import BaseModel, Field


class GateSettings(BaseModel, frozen=True, extra="forbid"):
    """When a candidate may replace the champion; see `registry.gate` for the rule."""

    margin: float = Field(
        0.01, ge=0, le=1, description="Loss of F1, average precision or accuracy that matters, where it is probable."
    )
    probably_worse: float = Field(
        0.95, ge=0.5, le=1, description="Probability of being worse above which a loss above the margin is refused."
    )
    ece_bar: float = Field(
        0.05, ge=0, le=1, description="Highest expected calibration error a candidate may have on any source."
    )
    capability_bar: float = Field(
        0.75, ge=0, le=1, description="Lowest accuracy a candidate may have on any capability."
    )
    requires_capabilities: bool = Field(
        default=True,
        description="Refuse a candidate whose capabilities were not measured; false: judge it by its scores alone.",
    )
    agreement_bar: float = Field(
        0.997, ge=0, le=1, description="Lowest share of decisions on which int8 and float32 arithmetic agree."
    )
    f1_bars: dict[str, float] = Field(
        default_factory=dict, description="Lowest F1 by source, 0-1; all that judges the first champion's F1."
    )
    average_precision_bars: dict[str, float] = Field(
        default_factory=dict, description="Lowest average precision by source, 0-1; likewise."
    )


class RegistrySettings(BaseModel, frozen=True, extra="forbid"):
    """Where models are kept, and what the gate asks of a candidate."""

    folder: Path = Field(Path("models"), description="Folder of the model registry, created when missing.")
    gate: GateSettings = Field(default_factory=GateSettings, description="When a candidate replaces the champion.")
