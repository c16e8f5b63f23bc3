SELECT
    a.event_date,
    a.event_time,
    a.tweet_id,
    a.created_at,
    a.lang,
    a.source,
    a.author_pseudonym,
    a.text,
    list_sort(list_distinct(list_transform(a.drug_mentions, lambda m: m.ingredient))) AS drug_ingredients,
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
        WHEN len(a.seriousness) > 0 THEN 'serious'
        WHEN len(a.special_situations) > 0 THEN 'special_situation'
        WHEN a.seriousness IS NOT NULL THEN 'routine'
    END AS priority,
    a.model_version,
    a.lexicon_version,
    a.coder_version,
    a.icd10cm_release
FROM assessments AS a
CROSS JOIN unnest(a.events) AS unnested (e)
WHERE a.is_ade AND e.is_event
