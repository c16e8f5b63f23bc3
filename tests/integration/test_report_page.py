"""The report page, driven in a real browser: what a safety officer sees, clicks and downloads."""

import csv
import json
import shutil
from collections import Counter
from datetime import UTC, datetime

import pytest
from selenium import webdriver
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.ui import Select, WebDriverWait

from adverse_events.reporting.facts import gather
from adverse_events.reporting.page import render, write_report
from adverse_events.reporting.positive import UNCODED
from tests.report_lake import INJECTION, MISSING_HOURS, write_sample_week

pytestmark = pytest.mark.browser

N_POSTS = 300

QUIET = (
    "--headless=new",
    "--no-sandbox",  # tests may run as root in a container, where the sandbox cannot start
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)

CONTRASTS = """
const channels = (color) => color.match(/[\\d.]+/g).map(Number);
const light = ([r, g, b]) => [r, g, b].map((c) => c / 255)
  .map((c) => (c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4))
  .reduce((sum, c, i) => sum + c * [0.2126, 0.7152, 0.0722][i], 0);
const behind = (node) => {
  for (; node; node = node.parentElement) {
    const color = channels(getComputedStyle(node).backgroundColor);
    if (color.length === 3 || color[3] === 1) return color;
  }
};
return [...document.body.querySelectorAll("*")]
  .filter((node) => !node.disabled && node.offsetParent && !node.closest(".hidden, .skip, script, select"))
  .filter((node) => [...node.childNodes].some((child) => child.nodeType === 3 && child.data.trim()))
  .map((node) => {
    const [a, b] = [light(channels(getComputedStyle(node).color)), light(behind(node))].sort((x, y) => y - x);
    return [Math.round((100 * (a + 0.05)) / (b + 0.05)) / 100, `${node.tagName}.${node.className}`];
  })
  .sort((x, y) => x[0] - y[0]);
"""


@pytest.fixture(scope="module")
def facts(tmp_path_factory):
    lake = tmp_path_factory.mktemp("lake")
    write_sample_week(lake, n_posts=N_POSTS)
    return gather(lake)


@pytest.fixture(scope="module")
def report(facts, tmp_path_factory):
    path = tmp_path_factory.mktemp("report") / "report.html"
    path.write_text(render(facts, generated_at=datetime(2026, 3, 9, tzinfo=UTC)), encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def downloads(tmp_path_factory):
    return tmp_path_factory.mktemp("downloads")


@pytest.fixture(scope="module")
def browser(tmp_path_factory, downloads):
    chromium, driver = shutil.which("chromium"), shutil.which("chromedriver")
    if not (chromium and driver):
        pytest.skip("no chromium and chromedriver on the PATH: apt-get install chromium chromium-driver")
    options = webdriver.ChromeOptions()
    options.binary_location = chromium
    for argument in (*QUIET, f"--user-data-dir={tmp_path_factory.mktemp('profile')}"):
        options.add_argument(argument)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    browser = webdriver.Chrome(options, Service(driver))
    browser.execute_cdp_cmd("Browser.setDownloadBehavior", {"behavior": "allow", "downloadPath": str(downloads)})
    yield browser
    browser.quit()


@pytest.fixture
def page(browser, report):
    """The page as just opened on a desk."""
    show(browser, 1280, 900)
    for log in ("browser", "performance"):
        browser.get_log(log)
    browser.get(report.as_uri())
    return browser


def show(browser, width, height, *, theme="light", media="screen"):
    size = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 500}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
    features = [{"name": "prefers-color-scheme", "value": theme}]
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": media, "features": features})


def text_of(page, selector):
    return page.find_element(By.CSS_SELECTOR, selector).text


def all_of(page, selector, value="textContent"):
    return page.execute_script(f"return [...document.querySelectorAll(arguments[0])].map((e) => e.{value})", selector)


def n_in_series(page):
    return sum(int(n) for n in all_of(page, "#series .slot", "dataset.n"))


def rows_found(page):
    return int(text_of(page, "#page-range").split(" of ")[1].replace(",", ""))


def choose(page, select_id, prefix):
    select = Select(page.find_element(By.ID, select_id))
    select.select_by_visible_text(next(o.text for o in select.options if o.text.startswith(prefix)))


def search(page, words):
    page.find_element(By.ID, "text").send_keys(words)
    WebDriverWait(page, 5).until(lambda page: words in text_of(page, "#verdict"))


def posts_naming(facts, ingredient):
    return [post for post in facts.positives if ingredient in {drug.ingredient for drug in post.drugs}]


def test_opening_it_asks_nobody_for_anything_and_logs_nothing(page, report):
    assert text_of(page, "#verdict") == f"{N_POSTS} positive posts"
    page.execute_script("for (const button of document.querySelectorAll('.bars button')) button.click()")
    messages = [json.loads(entry["message"])["message"] for entry in page.get_log("performance")]
    requests = [m["params"]["request"]["url"] for m in messages if m["method"] == "Network.requestWillBeSent"]
    assert {url for url in requests if not url.startswith("data:")} == {report.as_uri()}
    assert page.get_log("browser") == []


def test_the_policy_stops_a_request_that_something_might_try(page):
    blocked = page.execute_async_script(
        "const done = arguments[0];"
        "document.addEventListener('securitypolicyviolation', (event) => done(event.effectiveDirective));"
        "fetch('http://127.0.0.1:9/').catch(() => {});"
    )
    assert blocked == "connect-src"


def test_the_account_shows_where_every_input_went(page, facts):
    account = facts.account
    numbers = [int(figure.replace(",", "")) for figure in all_of(page, ".figure")]
    assert numbers == [account.rows_in, account.rows_assessed, account.rows_screened_out, account.rows_rejected]
    assert numbers[0] == sum(numbers[1:])
    assert f"{len(MISSING_HOURS)} h in between not processed" in text_of(page, ".period")


def test_choosing_a_drug_changes_the_table_the_series_and_the_tops(page, facts):
    expected = posts_naming(facts, "semaglutide")
    assert n_in_series(page) == rows_found(page) == N_POSTS
    choose(page, "drug", "semaglutide")
    assert n_in_series(page) == rows_found(page) == len(expected)
    assert text_of(page, "#verdict").startswith(f"{len(expected)} of {N_POSTS} posts")
    codes = Counter(code for post in expected for code in {e.code for e in post.events if e.is_event})
    shown = zip(all_of(page, "#top-conditions code"), all_of(page, "#top-conditions b"), strict=True)
    assert {code: int(n) for code, n in shown} == codes
    assert all_of(page, "#top-drugs [aria-pressed=true] span") == ["semaglutide"]


def test_a_bar_of_the_tops_is_a_filter_and_takes_itself_back(page, facts):
    name, n_posts = facts.top_ingredients(1)[0]
    page.find_element(By.CSS_SELECTOR, "#top-drugs button").click()
    assert rows_found(page) == n_posts
    assert Select(page.find_element(By.ID, "drug")).first_selected_option.text == f"{name} ({n_posts})"
    page.find_element(By.CSS_SELECTOR, "#top-drugs button").click()
    assert rows_found(page) == N_POSTS


def test_a_pair_filters_to_its_drug_and_its_condition(page, facts):
    (drug, code), n_posts = facts.top_pairs(1)[0]
    page.find_element(By.CSS_SELECTOR, "#top-pairs button").click()
    assert rows_found(page) == n_posts
    assert drug in text_of(page, "#verdict")
    assert code in text_of(page, "#verdict")


def test_negated_conditions_are_shown_and_not_counted(page, facts):
    assert "R11.0" not in dict(facts.top_codes())
    choose(page, "drug", "sertraline")
    assert "R11.0 Nausea" in all_of(page, ".found .is-not-counted > span:last-child")
    assert "no nausea" in all_of(page, ".post mark.denied")
    assert not [option for option in all_of(page, "#condition option") if "R11.0" in option]


def test_a_bar_of_the_series_filters_to_its_day(page, facts):
    expected = sum(n for start, n in facts.posts_by_start().items() if start.day == 3)
    page.execute_script(
        "document.querySelectorAll('#series .hit')[12].dispatchEvent(new Event('click', {bubbles: true}))"
    )
    assert rows_found(page) == n_in_series(page) == expected
    assert page.find_element(By.ID, "from").get_property("value") == "2026-03-03"
    assert page.find_element(By.ID, "to").get_property("value") == "2026-03-03"


def test_dates_are_inclusive_days(page, facts):
    script = "const box = document.getElementById(arguments[0]); box.value = arguments[1]; "
    for box, day in (("from", "2026-03-04"), ("to", "2026-03-06")):
        page.execute_script(script + "box.dispatchEvent(new Event('change'))", box, day)
    assert rows_found(page) == sum(n for start, n in facts.posts_by_start().items() if 4 <= start.day <= 6)


def test_the_series_is_read_with_the_keyboard(page):
    series = page.find_element(By.ID, "series")
    series.send_keys(Keys.ARROW_RIGHT, Keys.ARROW_RIGHT)
    n_second = int(all_of(page, "#series .slot", "dataset.n")[1])
    noun = "post" if n_second == 1 else "posts"
    read = text_of(page, "#readout").replace(",", "")  # whether a comma follows the weekday is the browser's choice
    assert read == f"Mon 2 Mar 03:00 to 06:00: {n_second} {noun}"


def test_spans_are_marked_on_exactly_their_words_even_after_emoji(page, facts):
    """Offsets count code points; the browser counts UTF-16 units."""
    Select(page.find_element(By.ID, "page-size")).select_by_visible_text("500")
    marked = page.execute_script(
        "return [...document.querySelectorAll('.post')].map((p) => [p.textContent, "
        "[...p.querySelectorAll('mark')].map((m) => [m.className.split(' ')[0], m.textContent])])"
    )
    expected = [
        [
            post.text,
            [
                [kind, post.text[span.begin : span.end]]
                for kind, span in sorted(
                    [*(("drug", drug) for drug in post.drugs), *(("event", event) for event in post.events)],
                    key=lambda pair: pair[1].begin,
                )
            ],
        ]
        for post in facts.positives
    ]
    assert sorted(marked) == sorted(expected)
    assert ["😴😴 Zoloft makes me so sleepy I missed my stop twice, at least no nausea", 3] in [
        [text, len(marks)] for text, marks in marked
    ]


def test_markup_in_a_post_is_text(page):
    search(page, "window.injected")
    assert rows_found(page) == 1
    assert text_of(page, ".post").startswith(INJECTION)
    assert page.execute_script("return typeof window.injected") == "undefined"
    assert page.execute_script("return document.images.length") == 0


def test_right_to_left_text_runs_right_to_left(page):
    choose(page, "drug", "metformin")
    direction = "return getComputedStyle(document.querySelector('.post')).direction"
    assert page.execute_script(direction) == "rtl"


def test_the_csv_holds_what_is_filtered_and_no_formula(page, facts, downloads):
    choose(page, "drug", "tramadol")
    page.find_element(By.ID, "download").click()
    target = downloads / "adverse-drug-events-2026-03-02-to-2026-03-08.csv"
    WebDriverWait(page, 10).until(lambda _: target.exists() and target.stat().st_size)
    (post,) = posts_naming(facts, "tramadol")
    with target.open(encoding="utf-8-sig", newline="") as file:
        (row,) = csv.DictReader(file)
    assert row["text"] == f"'{post.text}"
    assert (row["ingredients"], row["event_codes"], row["reference"]) == ("tramadol", "R42", post.reference)
    assert datetime.fromisoformat(row["created_at"]) == post.created_at


def test_no_match_says_so_and_offers_a_way_back(page):
    search(page, "xylophone")
    assert text_of(page, "#empty").startswith("No positive post passes these filters.")
    assert not page.find_element(By.ID, "table").is_displayed()
    page.find_element(By.CSS_SELECTOR, "#empty button").click()
    assert rows_found(page) == N_POSTS


def test_sorting_and_paging_walk_through_all_posts(page, facts):
    page.find_element(By.CSS_SELECTOR, "th[data-sort=p] button").click()
    seen = []
    while True:
        seen += all_of(page, "tbody td:nth-child(3)")
        following = page.find_element(By.ID, "next")
        if not following.is_enabled():
            break
        page.execute_script("arguments[0].click()", following)
    probabilities = sorted((post.ade_probability for post in facts.positives), reverse=True)
    assert seen == [f"{probability:.2f}" for probability in probabilities]
    assert all_of(page, "th[aria-sort] button") == ["Probability"]


def test_the_page_opens_with_what_is_serious_and_can_show_that_alone(page, facts):
    counts = facts.posts_by_priority()
    assert set(all_of(page, "tbody .priority")) == {"Serious"}
    assert "hospitalization" in " ".join(all_of(page, "tbody tr:first-child .role.told"))
    for name, n_posts in (("Serious", counts["serious"]), ("Special situation", counts["special_situation"])):
        choose(page, "priority", name)
        assert rows_found(page) == n_posts == n_in_series(page)
        assert set(all_of(page, "tbody .priority")) == {name}


def test_conditions_without_a_code_are_counted_under_that_name(page, facts):
    n_uncoded = dict(facts.top_codes())[UNCODED]
    choose(page, "condition", "No code")
    assert rows_found(page) == n_uncoded


def test_a_phone_never_scrolls_sideways(page, report):
    show(page, 360, 800)
    page.get(report.as_uri())
    choose(page, "condition", "R10.9")
    assert "gggggg" in " ".join(all_of(page, ".post"))
    assert page.execute_script("return document.documentElement.scrollWidth") == 360


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_text_stands_out_from_its_ground(page, theme):
    """WCAG 2.2 asks 4.5 to 1 of text."""
    show(page, 1280, 900, theme=theme)
    ratios = page.execute_script(CONTRASTS)
    assert len(ratios) > 100
    assert ratios[0][0] >= 4.5, ratios[0]


def test_every_control_has_a_name(page):
    unnamed = page.execute_script(
        "return [...document.querySelectorAll('input, select, button')]"
        ".filter((e) => !(e.labels?.length || e.textContent.trim())).map((e) => e.outerHTML)"
    )
    assert unnamed == []


def test_paper_shows_the_filter_in_words_and_no_controls(page):
    choose(page, "drug", "warfarin")
    show(page, 1000, 1400, media="print")
    assert not page.find_element(By.ID, "filters").is_displayed()
    assert not page.find_element(By.ID, "download").is_displayed()
    assert "warfarin" in text_of(page, "#verdict")


def test_a_lake_without_positives_makes_a_page_that_says_so(browser, tmp_path):
    write_sample_week(tmp_path / "lake", n_posts=20)
    report = write_report(tmp_path / "lake", tmp_path / "r.html", start=datetime(2027, 1, 1, tzinfo=UTC))
    browser.get_log("browser")
    browser.get(report.as_uri())
    assert text_of(browser, ".period") == "No window has been processed in this range."
    assert text_of(browser, "#empty") == "No post of this period was flagged as an adverse drug event."
    assert browser.get_log("browser") == []
