-- Posts per week, drug and ICD-10-CM code. Named together is not caused by.
SELECT
    date_trunc('week', event_date) AS week,
    drug,
    icd10cm_code,
    max(icd10cm_description) AS icd10cm_description,
    count(DISTINCT tweet_id) AS n_posts
FROM detected_events
CROSS JOIN UNNEST(drug_ingredients) AS drugs (drug)
WHERE event_date >= current_date - INTERVAL '90' DAY AND icd10cm_code IS NOT NULL
GROUP BY 1, 2, 3
ORDER BY week DESC, n_posts DESC, drug, icd10cm_code
