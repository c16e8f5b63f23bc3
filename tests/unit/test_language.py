# ruff: noqa: RUF001 - the posts are in the languages they are in
"""Language: the source's word first, then a guess that prefers keeping a post."""

import pytest

from adverse_events.screening.language import LanguageDetector, judge_language, source_language
from adverse_events.screening.screen import ScreeningSettings

MIN_CONFIDENCE = ScreeningSettings().min_language_confidence

OTHER_LANGUAGES = {
    "es": (
        "Llevo tres días con dolor de cabeza desde que empecé con la sertralina",
        "El médico me recetó metformina y ahora no puedo dormir por las noches",
        "¿Alguien más se marea cuando toma paroxetina por la mañana?",
        "Mi madre dejó las estatinas porque le dolían mucho las piernas",
        "Hoy me ponen la segunda dosis de la vacuna, deséenme suerte",
        "No me gusta nada cómo me siento con este tratamiento nuevo",
        "Ozempic me quita el hambre pero tengo náuseas todo el día",
        "La farmacia no tiene mi medicamento desde hace dos semanas",
        "Me salió una alergia en la cara después del antibiótico",
        "Gracias a dios ya no necesito pastillas para la ansiedad",
    ),
    "fr": (
        "Depuis que je prends du prozac je n'arrive plus à dormir",
        "Mon médecin m'a prescrit un nouvel antidépresseur ce matin",
        "Est-ce que quelqu'un a eu des vertiges avec ce traitement ?",
        "Je suis malade comme un chien après la deuxième dose du vaccin",
        "Les effets secondaires de la cortisone sont vraiment pénibles",
        "Ma sœur a arrêté la pilule à cause des migraines",
        "Il faut que j'aille chercher mes médicaments à la pharmacie",
        "J'ai pris dix kilos avec la quétiapine, c'est terrible",
        "Plus jamais de doliprane sans manger avant, mal au ventre",
        "On m'a dit que c'était normal d'avoir des nausées au début",
    ),
    "de": (
        "Seit ich Sertralin nehme, kann ich nachts nicht mehr schlafen",
        "Mein Arzt hat mir heute ein neues Medikament verschrieben",
        "Hat noch jemand so starke Kopfschmerzen von Ibuprofen bekommen?",
        "Nach der zweiten Impfung lag ich zwei Tage mit Fieber im Bett",
        "Die Nebenwirkungen von Metformin sind wirklich schlimm",
        "Ich habe die Pille abgesetzt und fühle mich endlich besser",
        "Meine Mutter verträgt das Blutdruckmittel überhaupt nicht",
        "Ohne meine Tabletten komme ich nicht durch den Tag",
        "Die Apotheke hatte mein Rezept leider nicht vorrätig",
        "Von Cortison habe ich furchtbar viel zugenommen",
    ),
    "pt": (
        "Desde que comecei a tomar fluoxetina não consigo dormir direito",
        "O médico trocou o meu remédio e agora estou com enjoo",
        "Alguém mais sente tontura quando toma esse comprimido?",
        "Fiquei com febre depois da segunda dose da vacina",
        "Não aguento mais os efeitos colaterais desse antibiótico",
        "Minha avó parou de tomar o remédio da pressão",
        "Preciso passar na farmácia para comprar dipirona",
        "Engordei oito quilos com a quetiapina, que ódio",
        "A ritalina me deixa sem fome o dia inteiro",
        "Hoje esqueci de tomar os meus remédios outra vez",
    ),
    "it": (
        "Da quando prendo la sertralina non riesco più a dormire",
        "Il dottore mi ha prescritto un nuovo farmaco per la pressione",
        "Qualcun altro ha avuto le vertigini con questa medicina?",
        "Dopo la seconda dose del vaccino ho avuto la febbre alta",
        "Gli effetti collaterali del cortisone sono davvero pesanti",
        "Mia madre ha smesso di prendere le statine per i dolori",
        "Devo andare in farmacia a comprare la tachipirina",
        "Sono ingrassata dieci chili con questa terapia",
        "Oggi mi fa malissimo lo stomaco per colpa dell'antibiotico",
        "Non mi piace per niente come mi sento adesso",
    ),
    "nl": (
        "Sinds ik sertraline slik kan ik 's nachts niet meer slapen",
        "Mijn huisarts heeft me vandaag een nieuw medicijn gegeven",
        "Heeft er nog iemand zo'n last van hoofdpijn door deze pillen?",
        "Na de tweede prik lag ik twee dagen met koorts in bed",
        "De bijwerkingen van metformine zijn echt verschrikkelijk",
        "Ik ben gestopt met de pil en voel me eindelijk beter",
        "Mijn moeder kan niet tegen die bloeddrukverlagers",
        "Ik moet nog langs de apotheek voor mijn recept",
        "Door de prednison ben ik enorm aangekomen",
        "Zonder mijn medicijnen kom ik de dag niet door",
    ),
    "ja": (
        "この薬を飲み始めてから頭痛がひどいです",
        "昨日ワクチンを打ったら熱が出ました",
        "副作用で眠れない夜が続いています",
        "病院で新しい薬を処方してもらった",
        "抗生物質を飲むといつもお腹が痛くなる",
    ),
    "ar": (
        "منذ أن بدأت هذا الدواء وأنا أعاني من الصداع",
        "أخذت الجرعة الثانية من اللقاح وأشعر بالتعب",
        "الطبيب وصف لي دواء جديدا للضغط",
        "هل يعاني أحد من الدوخة بسبب هذه الحبوب؟",
        "لا أستطيع النوم بعد تناول المضاد الحيوي",
    ),
    "ru": (
        "С тех пор как я пью эти таблетки, у меня болит голова",
        "После второй прививки два дня лежал с температурой",
        "Врач выписал мне новое лекарство от давления",
        "У кого ещё кружится голова от этого препарата?",
        "От антибиотиков у меня всегда болит живот",
    ),
    "tr": (
        "Bu ilaca başladığımdan beri geceleri uyuyamıyorum",
        "İkinci doz aşıdan sonra iki gün ateşim çıktı",
        "Doktor bana bugün yeni bir tansiyon ilacı yazdı",
        "Bu hapları içince başı dönen başka kimse var mı?",
        "Antibiyotik kullanınca midem çok kötü oluyor",
    ),
    "id": (
        "Sejak minum obat ini kepala saya pusing terus",
        "Habis vaksin kedua badan saya demam dua hari",
        "Dokter kasih resep obat baru untuk tekanan darah",
        "Ada yang mual juga setelah minum antibiotik?",
        "Saya lupa minum obat lagi hari ini",
    ),
    "pl": (
        "Odkąd biorę ten lek, ciągle boli mnie głowa",
        "Po drugiej dawce szczepionki miałam gorączkę",
        "Lekarz przepisał mi dzisiaj nowe tabletki na ciśnienie",
        "Czy komuś jeszcze kręci się w głowie po tych prochach?",
        "Po antybiotyku zawsze mam problemy z żołądkiem",
    ),
    "sv": (
        "Sedan jag började med medicinen kan jag inte sova",
        "Efter andra sprutan låg jag med feber i två dagar",
        "Läkaren skrev ut en ny tablett mot högt blodtryck",
        "Är det någon mer som blir yr av de här pillren?",
        "Jag mår så illa av antibiotikan",
    ),
    "hi": (
        "यह दवा लेने के बाद से मेरे सिर में दर्द है",
        "टीके की दूसरी खुराक के बाद मुझे बुखार आया",
        "डॉक्टर ने मुझे नई दवा लिखी है",
    ),
    "ko": (
        "이 약을 먹고 나서 머리가 너무 아파요",
        "백신 맞고 이틀 동안 열이 났어요",
        "의사가 새로운 약을 처방해 줬다",
    ),
    "zh": (
        "吃了这个药以后我一直头疼",
        "打完第二针疫苗发烧了两天",
        "医生给我开了新的降压药",
    ),
}

ENGLISH = (
    "prozac has me wide awake at 4am again",
    "ugh seroquel hangover",
    "Ozempic nausea is no joke",
    "my doc upped the lexapro to 20mg n now my jaw wont unclench",
    "no headache on prozac",
    "Metformin + coffee = regret",
    "vyvanse crash rn 😭😭",
    "@user [link] effexor brain zaps!!",
    "#humira day",
    "lamictal rash. great.",
    "Xarelto bruises EVERYWHERE",
    "so tired on these beta blockers omg",
)


@pytest.mark.parametrize("language", OTHER_LANGUAGES)
def test_a_post_in_another_language_is_screened_out(language):
    missed = [
        text
        for text in OTHER_LANGUAGES[language]
        if judge_language(text, None, wanted=("en",), min_confidence=MIN_CONFIDENCE)[1]
    ]
    assert missed == []


@pytest.mark.parametrize("text", ENGLISH)
def test_a_short_english_post_full_of_drug_names_is_kept(text):
    assert judge_language(text, None, wanted=("en",), min_confidence=MIN_CONFIDENCE)[1]


@pytest.mark.parametrize("lang", [None, "", "und", "UND", "zxx", "qme", "qht", "qam"])
def test_a_code_that_names_no_language_is_as_good_as_none(lang):
    assert source_language(lang) is None


@pytest.mark.parametrize(("lang", "code"), [("en", "en"), ("en-GB", "en"), ("EN_us", "en"), ("qu", "qu"), ("pt", "pt")])
def test_a_region_is_dropped_from_the_sources_code(lang, code):
    assert source_language(lang) == code


def test_the_sources_language_wins_over_the_text():
    text = OTHER_LANGUAGES["es"][0]
    assert judge_language(text, "en", wanted=("en",), min_confidence=0.0) == ("en", True)
    assert judge_language(ENGLISH[0], "es", wanted=("en",), min_confidence=0.0) == ("es", False)


def test_an_unsure_guess_keeps_the_post_and_claims_no_language():
    text = "lol prozac"
    assert judge_language(text, None, wanted=("xx",), min_confidence=1.0) == ("und", True)


@pytest.mark.parametrize("text", ["", "   ", "😭😭😭", "@user [link] 123 !!", "[email] [phone]"])
def test_a_text_without_words_has_no_language(text):
    assert LanguageDetector.load().detect(text) == ("und", 0.0)


def test_a_lone_surrogate_does_not_stop_detection():
    language, probability = LanguageDetector.load().detect("the doctor changed my pills \ud83d again")
    assert language == "en"
    assert 0 <= probability <= 1
