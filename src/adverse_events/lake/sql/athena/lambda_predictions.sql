SELECT
    tweet_id AS id,
    text,
    CASE WHEN is_ade THEN 'Adverse_Event' ELSE 'Not_AE' END AS pred_label,
    regexp_replace(CAST(CAST(ade_probability AS DECIMAL(7, 6)) AS VARCHAR), '0{1,5}$', '') AS pred_prob,
    author_pseudonym AS user_id,
    concat(substr(date_format(created_at, '%Y-%m-%dT%H:%i:%s.%f'), 1, 23), 'Z') AS "timestamp",
    author_city AS user_city,
    substr(author_region, 4) AS user_state,
    nullif(concat_ws(', ', author_city, substr(author_region, 4), author_country), '') AS user_location,
    array_join(transform(drug_mentions, m -> coalesce(m.mention, m.ingredient)), ', ') AS drug_mentions,
    array_join(
        transform(filter(events, e -> e.is_event), e -> coalesce(e.text, e.icd10cm_description)),
        ', '
    ) AS ae_type,
    array_join(
        transform(filter(events, e -> e.is_event AND e.icd10cm_code IS NOT NULL), e -> e.icd10cm_code),
        ', '
    ) AS icd_codes
FROM assessments
