# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The console in a real browser, on the graph of the simulated robot."""

from __future__ import annotations

import re
import time

import pytest

rclpy = pytest.importorskip("rclpy", reason="ROS 2 is not installed: `make build` sets it up")
pytest.importorskip("evla_ros.msg", reason="the interfaces are not built: `make build`")
pytest.importorskip("mujoco", reason="the simulator is not installed")
pytest.importorskip("uvicorn", reason="the console's libraries are not installed: `make build`")

from browser import open_browser  # noqa: E402
from console_graph import ConsoleGraph  # noqa: E402

from evla_ros.data.bags.reader import open_bag, recorded_custom_data  # noqa: E402
from evla_ros.data.messages import decode_episode_event  # noqa: E402
from evla_ros.msg import EpisodeEvent, PolicyStatus  # noqa: E402

pytestmark = pytest.mark.timeout(300)
OWN_CONTROL = "✓ you control"
BRIGHTEST = """(name) => {
  const canvas = document.querySelector(`[data-camera="${name}"] canvas`);
  const data = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data;
  return data.filter((_, i) => i % 4 < 3).reduce((most, one) => Math.max(most, one), 0);
}"""
TOO_WIDE = """() => [...document.querySelectorAll("body *")]
  .filter((one) => one.offsetParent && one.getBoundingClientRect().right > 360)
  .map((one) => `${one.tagName}#${one.id}.${one.className}: ${one.textContent.slice(0, 60)}`)
"""
FAKE_GAMEPAD = """
const buttons = Array.from({length: 17}, () => ({pressed: false}));
window.fakePad = {id: "fake pad", axes: [0, 0, 0, 0], buttons};
navigator.getGamepads = () => [window.fakePad];
"""


@pytest.fixture(scope="module")
def browser():
    with open_browser() as found:
        yield found


@pytest.fixture(scope="module")
def graph(browser, module_domain, tmp_path_factory):
    made = ConsoleGraph(tmp_path_factory.mktemp("console"))
    yield made
    made.close()


@pytest.fixture
def pages(browser, graph):
    """Return what opens a page, as another person's browser each time."""
    contexts = []

    def open_page(width=1280, height=900, script="", **options):
        context = browser.new_context(viewport={"width": width, "height": height}, **options)
        context.set_default_timeout(30_000)
        contexts.append(context)
        page = context.new_page()
        page.problems = []
        page.on("pageerror", lambda error: page.problems.append(str(error)))
        page.on("console", lambda m: page.problems.append(m.text) if m.type == "error" else None)
        if script:
            page.add_init_script(script)
        page.goto(graph.address)
        page.get_by_text("✓ live").wait_for()
        return page

    yield open_page
    problems = [problem for c in contexts for page in c.pages for problem in page.problems]
    for context in contexts:
        context.close()
    graph.ears.wait(lambda: not graph.ears.driven)
    assert problems == []


@pytest.fixture
def page(pages):
    found = pages()
    controls(found)
    return found


def until(page, expression, limit_s=30.0):
    """Wait until an expression holds; the page's own policy forbids playwright's way to wait."""
    end = time.monotonic() + limit_s
    while not page.evaluate(expression):
        assert time.monotonic() < end, expression
        page.wait_for_timeout(20)


def controls(page):
    until(page, "document.querySelector('#role').textContent.includes('control')")
    if page.text_content("#role") != OWN_CONTROL:
        page.click("#take")
    until(page, f"document.querySelector('#role').textContent === '{OWN_CONTROL}'")


def start(page, graph):
    """Press start, again where it is refused, as a person does while the robot wakes up."""
    graph.ears.wait(lambda: graph.ears.reason not in (None, PolicyStatus.REASON_LISTENING))
    end = time.monotonic() + 60.0
    pressed = time.monotonic() - 3.0
    while not graph.ears.moving:
        assert time.monotonic() < end, graph.ears.statuses[-1].reason_text
        page.wait_for_timeout(50)
        if time.monotonic() - pressed > 3.0 and not graph.ears.moving:
            page.click("#start")
            pressed = time.monotonic()


def middle(page, element):
    page.evaluate(f"document.querySelector('{element}').scrollIntoView({{block: 'center'}})")


def hold(page, pad, x=0.5, y=0.15):
    """Press a pad at a place within its box, and stay."""
    until(page, f"document.querySelector('{pad}').ariaDisabled === 'false'")
    middle(page, pad)
    box = page.locator(pad).bounding_box()
    page.mouse.move(box["x"] + x * box["width"], box["y"] + y * box["height"])
    page.mouse.down()


def again(page, ears, condition, limit_s=60.0):
    """Press again where a busy machine ran the dead-man out, until a condition holds."""
    end = time.monotonic() + limit_s
    while not condition():
        assert time.monotonic() < end
        page.wait_for_timeout(300)
        if not (ears.driven or condition()):
            page.mouse.up()
            page.mouse.down()


def drive(page, graph, pad):
    """Hold a pad until the robot is driven."""
    hold(page, pad)
    again(page, graph.ears, lambda: graph.ears.driven)


def test_cameras_start_goals_reason_and_stop(page, graph):
    ears = graph.ears
    for camera in ("primary", "wrist"):
        page.wait_for_selector(f'[data-camera="{camera}"][data-stale="false"]')
        grey = page.evaluate(BRIGHTEST, camera)
        assert grey > 20, "there is a picture"
    start(page, graph)
    page.wait_for_selector('#banner[data-level="moving"], #banner[data-level="limited"]')
    assert "Goals follow the policy" in page.text_content("#reason")
    until(page, "document.querySelector('#authority').textContent === 'the policy'")
    before = len(ears.goals)
    ears.wait(lambda: len(ears.goals) > before + 20)
    page.click("#stop")
    ears.wait(lambda: ears.reason == PolicyStatus.REASON_OPERATOR_STOP)
    page.wait_for_selector('#banner[data-level="idle"]')


def test_the_space_bar_stops_and_a_space_in_a_text_does_not(page, graph):
    ears = graph.ears
    start(page, graph)
    page.focus("#rec-success")  # a button does not swallow it
    page.keyboard.press("Space")
    ears.wait(lambda: ears.reason == PolicyStatus.REASON_OPERATOR_STOP)
    start(page, graph)
    page.fill("#instruction", "")
    page.type("#instruction", "reach the red block")
    assert page.input_value("#instruction") == "reach the red block"
    assert ears.reason != PolicyStatus.REASON_OPERATOR_STOP
    page.keyboard.press("Enter")
    until(page, "document.querySelector('#current').textContent.includes('red block')")
    assert ears.reason != PolicyStatus.REASON_OPERATOR_STOP
    start(page, graph)  # where a busy machine was late for its pictures, the robot holds
    page.keyboard.press("Escape")
    ears.wait(lambda: ears.reason == PolicyStatus.REASON_OPERATOR_STOP)


def test_a_pad_moves_the_arm_while_it_is_held(page, graph):
    ears = graph.ears
    ears.wait(lambda: ears.poses)
    x_before = ears.poses[-1][1][0]
    hold(page, "#pad-move", y=0.9)  # back
    again(page, ears, lambda: ears.poses[-1][1][0] < x_before - 0.01)
    told = "document.querySelector('#drive-state').textContent === '✋ you drive'"
    again(page, ears, lambda: page.evaluate(told))
    page.mouse.up()
    ears.wait(lambda: not ears.driven)


def test_closing_the_tab_lets_go(pages, graph):
    page = pages()
    controls(page)
    drive(page, graph, "#pad-lift")
    page.close()
    graph.ears.wait(lambda: not graph.ears.driven)


@pytest.mark.parametrize("event", ["blur", "pagehide"])
def test_a_page_that_loses_its_focus_lets_go(page, graph, event):
    drive(page, graph, "#pad-move")
    page.evaluate(f"window.dispatchEvent(new Event('{event}'))")
    graph.ears.wait(lambda: not graph.ears.driven)
    page.mouse.up()


def test_a_browser_that_hangs_lets_go_by_the_servers_clock(page, graph):
    drive(page, graph, "#pad-move")
    page.evaluate("{ const end = Date.now() + 1500; while (Date.now() < end); }")
    page.get_by_text("ms of silence").first.wait_for(state="attached")
    assert not graph.ears.driven, "old messages of that press move nothing"
    page.mouse.up()


def test_the_keyboard_drives_once_it_is_armed(page, graph):
    ears = graph.ears
    until(page, "!document.querySelector('#keys').disabled")
    page.keyboard.press("q")
    page.click("#keys")
    z_before = ears.poses[-1][1][2]
    while ears.poses[-1][1][2] < z_before + 0.005:
        page.keyboard.down("q")
        page.wait_for_timeout(400)
        page.keyboard.up("q")
    ears.wait(lambda: not ears.driven)


def test_a_stop_ends_a_hand_that_drives_until_it_presses_anew(page, graph):
    drive(page, graph, "#pad-move")
    page.keyboard.press("Escape")
    graph.ears.wait(lambda: not graph.ears.driven)
    page.mouse.up()


def test_a_gamepad_drives_while_its_shoulder_button_is_held(pages, graph):
    page = pages(script=FAKE_GAMEPAD)
    controls(page)
    page.get_by_text("Gamepad: fake pad").wait_for()
    page.evaluate("window.fakePad.axes[3] = -1")
    assert not graph.ears.driven
    z_before = graph.ears.poses[-1][1][2]
    while graph.ears.poses[-1][1][2] < z_before + 0.005:
        page.evaluate("window.fakePad.buttons[4].pressed = true")
        page.wait_for_timeout(400)
        page.evaluate("window.fakePad.buttons[4].pressed = false")
        page.wait_for_timeout(50)
    graph.ears.wait(lambda: not graph.ears.driven)


def test_record_keep_play_relabel_and_trash(page, graph):
    start(page, graph)
    page.click("#rec-start")
    page.get_by_text("● recording").wait_for()
    page.wait_for_timeout(1500)
    page.click("#rec-intervention")
    page.wait_for_selector('#rec-intervention[aria-pressed="true"]')
    page.click("#rec-success")
    page.click("#rec-keep")
    card = page.locator("#gallery button").first
    card.wait_for()
    page.click("#stop")
    (bag,) = [path for path in graph.recordings.iterdir() if path.name != "trash"]
    assert bag.name in card.text_content()
    assert recorded_custom_data(bag)["outcome"] == "success"
    with open_bag(bag) as opened:
        topic = next(name for name in opened.info.topics if name.endswith("/episode_event"))
        events = [decode_episode_event(m.data) for m in opened.messages([topic])]
    said = [event.note for event in events if event.kind == EpisodeEvent.COMMAND]
    assert said[0] == "127.0.0.1: start an episode"
    assert "127.0.0.1: mark success" in said
    assert page.locator("#reports li").first.text_content().startswith(bag.name)

    until(page, "document.querySelector('#gallery img').naturalWidth > 0")
    card.click()
    until(
        page,
        "[...document.querySelectorAll('#player-tiles img')].length === 2 && "
        "[...document.querySelectorAll('#player-tiles img')].every((i) => i.naturalWidth > 0)",
    )
    until(page, "Number(document.querySelector('#player-at').value) > 0.3")
    page.click('[data-label="failure"]')
    page.get_by_text("is labelled failure").first.wait_for()
    assert recorded_custom_data(bag)["outcome"] == "failure"
    page.click("#player-trash")
    assert bag.is_dir(), "it has to be pressed twice"
    page.click("#player-trash")
    until(page, "document.querySelectorAll('#gallery button').length === 0")
    assert (graph.recordings / "trash" / bag.name).is_dir()


def test_two_people_one_controls_and_the_other_asks_watches_and_stops(pages, graph):
    first = pages()
    controls(first)
    second = pages()
    until(second, "document.querySelector('#take').textContent === 'Ask for control'")
    assert second.is_disabled("#start")
    start(first, graph)
    second.wait_for_selector('#banner[data-level="moving"], #banner[data-level="limited"]')
    second.click("#stop")
    graph.ears.wait(lambda: graph.ears.reason == PolicyStatus.REASON_OPERATOR_STOP)
    second.click("#take")
    first.click("#grant")
    until(second, f"document.querySelector('#role').textContent === '{OWN_CONTROL}'")
    until(first, "document.querySelector('#start').disabled")
    start(second, graph)
    second.click("#stop")


def test_a_reload_during_motion_keeps_control_and_does_not_stop_the_policy(page, graph):
    start(page, graph)
    page.reload()
    until(page, f"document.querySelector('#role').textContent === '{OWN_CONTROL}'")
    assert graph.ears.reason != PolicyStatus.REASON_OPERATOR_STOP
    start(page, graph)
    page.click("#stop")
    graph.ears.wait(lambda: graph.ears.reason == PolicyStatus.REASON_OPERATOR_STOP)


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_on_a_phone_every_view_fits_and_stop_is_in_reach(pages, theme):
    page = pages(360, 740, color_scheme=theme, has_touch=True, is_mobile=True)
    for view in ("run", "drive", "record", "health"):
        page.tap(f'[data-goto="{view}"]')
        wide = page.evaluate("document.documentElement.scrollWidth")
        assert wide <= 360, page.evaluate(TOO_WIDE)
        box = page.locator("#stop").bounding_box()
        assert box["y"] + box["height"] <= 740
        assert box["height"] >= 48
        small = page.evaluate(
            "[...document.querySelectorAll('main button, nav button')].filter((b) => b.offsetParent"
            " && (b.offsetHeight < 36 || b.offsetWidth < 36)).map((b) => b.textContent)"
        )
        assert small == []


def test_a_finger_drives_on_a_phone(pages, graph):
    page = pages(360, 740, has_touch=True, is_mobile=True)
    controls(page)
    page.tap('[data-goto="drive"]')
    until(page, "document.querySelector('#pad-move').ariaDisabled === 'false'")
    middle(page, "#pad-move")
    box = page.locator("#pad-move").bounding_box()
    touch = page.context.new_cdp_session(page)
    point = {"x": box["x"] + box["width"] / 2, "y": box["y"] + 0.8 * box["height"]}
    touch.send("Input.dispatchTouchEvent", {"type": "touchStart", "touchPoints": [point]})
    graph.ears.wait(lambda: graph.ears.driven)
    touch.send("Input.dispatchTouchEvent", {"type": "touchCancel", "touchPoints": []})
    graph.ears.wait(lambda: not graph.ears.driven)


def test_nothing_is_asked_of_another_host_and_the_page_is_small(pages, graph):
    page = pages()
    asked = page.evaluate(
        "['resource', 'navigation'].flatMap((kind) => performance.getEntriesByType(kind))"
        ".map((entry) => [entry.name, entry.transferSize])"
    )
    host = re.match(r"http://[^/]+", graph.address).group()
    own = [name for name, _ in asked if name.startswith(host)]
    assert len(own) == len(asked) >= 10
    assert sum(size for name, size in asked if "/page/" in name or name.endswith("/")) < 300_000
    with pytest.raises(Exception, match="Content Security Policy|Failed to fetch"):
        page.evaluate("fetch('http://192.0.2.1/')")
    page.problems.clear()  # that refusal itself


@pytest.mark.parametrize(("width", "theme"), [(1280, "light"), (1280, "dark"), (360, "light")])
def test_axe_finds_no_serious_fault(pages, axe, width, theme):
    page = pages(width, 900, color_scheme=theme)
    for view in ("run", "drive", "record", "health") if width < 760 else ("run",):
        if width < 760:
            page.click(f'[data-goto="{view}"]')
        page.evaluate(axe)
        found = page.evaluate("axe.run().then((r) => r.violations)")
        bad = [
            f"{one['id']}: {one['nodes'][0]['html'][:200]} {one['nodes'][0]['failureSummary']}"
            for one in found
            if one["impact"] in ("serious", "critical")
        ]
        assert bad == []


def test_every_control_is_reached_by_the_keyboard(page):
    page.evaluate("document.activeElement.blur()")
    seen = []
    for _ in range(60):
        page.keyboard.press("Tab")
        seen.append(page.evaluate("document.activeElement.id"))
    assert {"take", "instruction", "start", "rec-start", "pad-move", "keys", "stop"} <= set(seen)
    page.focus("#keys")
    page.keyboard.press("Enter")
    assert page.get_attribute("#keys", "aria-pressed") == "true"
