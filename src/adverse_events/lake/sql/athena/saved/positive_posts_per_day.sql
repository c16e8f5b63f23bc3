-- Posts assessed and posts flagged, by UTC day.
SELECT
    event_date,
    count(*) AS n_assessed,
    count_if(is_ade) AS n_positive,
    avg(ade_probability) AS mean_ade_probability
FROM assessments
WHERE event_date >= current_date - INTERVAL '90' DAY
GROUP BY event_date
ORDER BY event_date DESC
