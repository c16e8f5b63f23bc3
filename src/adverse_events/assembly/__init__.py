"""Which part stands at each station: settings in, the thing that does the work out.

The one place that chooses between the embedded default and a cloud service. What stands in the cloud is built by
`remote`, imported when it is chosen: the embedded default runs without the cloud's libraries.
"""

from adverse_events.assembly.account import remote_parts
from adverse_events.assembly.flight import checked_flight
from adverse_events.assembly.secrets import identity_key_for, token_for
from adverse_events.assembly.sources import check_source, held_ids, source_for, x_client_for
from adverse_events.assembly.stations import (
    classifier_for,
    coder_for,
    embedded_coder,
    lexicon,
    listener_for,
    model_folder,
    provenance_for,
    stations_for,
    with_model_fixed,
)
from adverse_events.assembly.stores import (
    catalog_for,
    check_lake,
    keepers_there_are,
    lake_for,
    landing_store_for,
    reader_for,
    suppression_for,
)

__all__ = [
    "catalog_for",
    "check_lake",
    "check_source",
    "checked_flight",
    "classifier_for",
    "coder_for",
    "embedded_coder",
    "held_ids",
    "identity_key_for",
    "keepers_there_are",
    "lake_for",
    "landing_store_for",
    "lexicon",
    "listener_for",
    "model_folder",
    "provenance_for",
    "reader_for",
    "remote_parts",
    "source_for",
    "stations_for",
    "suppression_for",
    "token_for",
    "with_model_fixed",
    "x_client_for",
]
