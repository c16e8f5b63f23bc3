-- Windows whose inputs differ from the rows assessed, screened out, rejected and deleted; must stay empty.
SELECT
    event_date,
    event_time,
    rows_in,
    rows_assessed,
    rows_screened_out,
    rows_rejected,
    coalesce(rows_deleted, 0) AS rows_deleted,
    rows_in - rows_assessed - rows_screened_out - rows_rejected - coalesce(rows_deleted, 0) AS rows_missing
FROM receipts
WHERE rows_in <> rows_assessed + rows_screened_out + rows_rejected + coalesce(rows_deleted, 0)
ORDER BY event_date, event_time
