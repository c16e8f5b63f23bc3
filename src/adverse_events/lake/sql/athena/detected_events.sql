SELECT
    a.event_date,
    a.event_time,
    a.tweet_id,
    a.created_at,
    a.lang,
    a.source,
    a.author_pseudonym,
    a.text,
    array_sort(array_distinct(filter(transform(a.drug_mentions, m -> m.ingredient), i -> i IS NOT NULL)))
        AS drug_ingredients,
    a.ade_probability,
    a.n_duplicates,
    e.text AS event_text,
    e."begin" AS event_begin,
    e."end" AS event_end,
    e.category AS event_category,
    e.type AS event_type,
    e.score AS event_score,
    e.role AS event_role,
    e.icd10cm_code,
    e.icd10cm_description,
    e.icd10cm_score,
    e.cause_code,
    e.body_system,
    e.is_serious,
    CASE
        WHEN cardinality(a.seriousness) > 0 THEN 'serious'
        WHEN cardinality(a.special_situations) > 0 THEN 'special_situation'
        WHEN a.seriousness IS NOT NULL THEN 'routine'
    END AS priority,
    a.model_version,
    a.lexicon_version,
    a.coder_version,
    a.icd10cm_release
FROM assessments AS a
CROSS JOIN UNNEST(a.events) AS e (
    text, "begin", "end", category, type, score, traits, role,
    icd10cm_code, icd10cm_description, icd10cm_score, cause_code, is_event,
    body_system, is_serious
)
WHERE a.is_ade AND e.is_event
