SELECT
    tweet_id AS id,
    text,
    CASE WHEN is_ade THEN 'Adverse_Event' ELSE 'Not_AE' END AS pred_label,
    regexp_replace(CAST(CAST(ade_probability AS DECIMAL(7, 6)) AS VARCHAR), '0{1,5}$', '') AS pred_prob,
    author_pseudonym AS user_id,
    strftime(created_at, '%Y-%m-%dT%H:%M:%S.%gZ') AS "timestamp",
    author_city AS user_city,
    substr(author_region, 4) AS user_state,
    nullif(concat_ws(', ', author_city, substr(author_region, 4), author_country), '') AS user_location,
    array_to_string(list_transform(drug_mentions, lambda m: coalesce(m.mention, m.ingredient)), ', ') AS drug_mentions,
    array_to_string(
        list_transform(
            list_filter(events, lambda e: e.is_event),
            lambda e: coalesce(e.text, e.icd10cm_description)
        ),
        ', '
    ) AS ae_type,
    array_to_string(
        list_transform(
            list_filter(events, lambda e: e.is_event AND e.icd10cm_code IS NOT NULL),
            lambda e: e.icd10cm_code
        ),
        ', '
    ) AS icd_codes
FROM assessments
