-- Rejected inputs by reason and file, most frequent first. Undated ones lie in 1970-01-01.
SELECT reason, origin, count(*) AS n_rows, min(row_number) AS first_row, min(event_date) AS first_date
FROM rejects
GROUP BY reason, origin
ORDER BY n_rows DESC, reason, origin
