"""The catalog over a lake on S3: tables and partitions in Glue, views and saved queries in Athena, the crawler."""

from __future__ import annotations

import logging
from itertools import batched
from typing import TYPE_CHECKING, Any

from adverse_events.aws.errors import translated
from adverse_events.errors import ContractError, PermanentServiceError
from adverse_events.lake.athena import Athena
from adverse_events.lake.catalog_tables import differences, partition_input, table_input, table_location, updated
from adverse_events.lake.crawler import Crawl, Crawler
from adverse_events.lake.saved_queries import SavedQueries, saved_queries
from adverse_events.lake.views import VIEWS, view_sql
from adverse_events.tables import TABLES
