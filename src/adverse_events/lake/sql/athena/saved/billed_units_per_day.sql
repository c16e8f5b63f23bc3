-- Units that paid services charged, by UTC day and service.
SELECT event_date, unit.service, sum(unit.n_units) AS n_units
FROM receipts
CROSS JOIN UNNEST(billable_units) AS unit (service, n_units)
GROUP BY event_date, unit.service
ORDER BY event_date DESC, unit.service
