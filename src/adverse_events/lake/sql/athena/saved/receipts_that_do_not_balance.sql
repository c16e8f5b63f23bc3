-- Windows whose inputs differ from the rows assessed, screened out and rejected; must stay empty.
SELECT
    event_date,
    event_time,
    rows_in,
    rows_assessed,
    rows_screened_out,
    rows_rejected,
    rows_in - rows_assessed - rows_screened_out - rows_rejected AS rows_missing
FROM receipts
WHERE rows_in <> rows_assessed + rows_screened_out + rows_rejected
ORDER BY event_date, event_time
