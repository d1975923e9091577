# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The lean executor serves all that rclpy's own serves, on a real graph."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator

import pytest

pytest.importorskip("rclpy", reason="ROS 2 is not installed: `make build` sets it up")

import rclpy
from rclpy.executors import SingleThreadedExecutor
from rclpy.guard_condition import GuardCondition
from std_msgs.msg import Float64, String
from std_srvs.srv import Trigger

from evla_ros.ros import lean_executor
from evla_ros.ros.lean_executor import LeanExecutor
from evla_ros.ros.qos import latched, newest_only, reliable

pytestmark = pytest.mark.timeout(60)


class Graph:
    """A node on the executor under test, another on rclpy's own."""

    def __init__(self, domain: int) -> None:
        self.context = rclpy.Context()
        rclpy.init(context=self.context, domain_id=domain)
        self.node = rclpy.create_node("lean", context=self.context)
        self.other = rclpy.create_node("other", context=self.context)
        self.executor = LeanExecutor(context=self.context)
        self.executors = [self.executor, SingleThreadedExecutor(context=self.context)]
        self.errors: list[Exception] = []
        self.threads = []
        for executor, node in zip(self.executors, (self.node, self.other), strict=True):
            executor.add_node(node)
            self.threads.append(threading.Thread(target=self._spin, args=(executor,), daemon=True))
            self.threads[-1].start()

    def _spin(self, executor: SingleThreadedExecutor) -> None:
        try:
            executor.spin()
        except Exception as error:
            self.errors.append(error)

    def wait_for(self, condition: Callable[[], object]) -> None:
        end = time.monotonic() + 20.0
        while not condition():
            assert time.monotonic() < end
            time.sleep(0.005)

    def close(self) -> None:
        for executor, thread in zip(self.executors, self.threads, strict=True):
            executor.shutdown()
            thread.join(10.0)
            assert not thread.is_alive()
        for node in (self.node, self.other):
            node.destroy_node()
        rclpy.shutdown(context=self.context)


@pytest.fixture
def graph(ros_domain: int) -> Iterator[Graph]:
    made = Graph(ros_domain)
    yield made
    made.close()


def test_messages_arrive_raw_and_whole_with_and_without_their_info(graph: Graph) -> None:
    whole: list[str] = []
    raw: list[tuple[bytes, dict]] = []
    graph.node.create_subscription(String, "said", lambda m: whole.append(m.data), latched())
    graph.node.create_subscription(
        Float64, "number", lambda data, info: raw.append((data, info)), newest_only(), raw=True
    )
    said = graph.other.create_publisher(String, "said", latched())
    number = graph.other.create_publisher(Float64, "number", reliable())
    said.publish(String(data="hello"))
    graph.wait_for(lambda: number.get_subscription_count() > 0)
    graph.wait_for(lambda: number.publish(Float64(data=2.0)) or raw)
    graph.wait_for(lambda: whole)
    assert whole == ["hello"]
    data, info = raw[0]
    assert isinstance(data, bytes)
    assert len(data) == 12
    assert info["source_timestamp"] > 0


def test_timers_services_clients_guards_and_tasks_are_served(graph: Graph) -> None:
    ticks: list[float] = []
    answers: list[str] = []
    guarded = threading.Event()
    graph.node.create_timer(0.02, lambda: ticks.append(time.monotonic()))

    def answer(_: Trigger.Request, response: Trigger.Response) -> Trigger.Response:
        response.message = "here"
        return response

    graph.node.create_service(Trigger, "ask", answer)
    graph.other.create_service(Trigger, "ask_other", answer)
    for asking, name in ((graph.other, "ask"), (graph.node, "ask_other")):
        client = asking.create_client(Trigger, name)
        assert client.wait_for_service(20.0)
        future = client.call_async(Trigger.Request())
        future.add_done_callback(lambda f: answers.append(f.result().message))
    guard = graph.node.create_guard_condition(guarded.set)
    assert isinstance(guard, GuardCondition)
    guard.trigger()
    task = graph.executor.create_task(lambda: 7)
    graph.wait_for(lambda: len(ticks) > 5 and len(answers) == 2 and task.done())
    assert guarded.wait(10.0)
    assert task.result() == 7
    assert answers == ["here", "here"]


def test_actions_wake_it_on_both_sides(ros_domain: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without its look at everything else now and then, which would find them late."""
    from rclpy.action import ActionClient

    from evla_ros.action import RunPolicy
    from evla_ros.ros.deferred_action import DeferredActionServer

    monkeypatch.setattr(lean_executor, "_LOOK_S", 1000.0)
    graph = Graph(ros_domain)
    served = DeferredActionServer(
        graph.node,
        RunPolicy,
        "run",
        lambda g: served.finish(g, "succeed", RunPolicy.Result(text="a")),
    )
    asked = DeferredActionServer(
        graph.other,
        RunPolicy,
        "other",
        lambda g: asked.finish(g, "abort", RunPolicy.Result(text="b")),
    )
    results: list[str] = []
    clients = [
        ActionClient(graph.other, RunPolicy, "run"), ActionClient(graph.node, RunPolicy, "other")
    ]  # fmt: skip
    for client in clients:
        assert client.wait_for_server(20.0)
        client.send_goal_async(RunPolicy.Goal()).add_done_callback(
            lambda future: (
                future.result()
                .get_result_async()
                .add_done_callback(lambda found: results.append(found.result().result.text))
            )
        )
    graph.wait_for(lambda: sorted(results) == ["a", "b"])
    for part in (*clients, served, asked):
        part.destroy()
    graph.close()
    assert not graph.errors


def test_what_is_created_and_destroyed_while_it_spins_counts(graph: Graph) -> None:
    publisher = graph.other.create_publisher(Float64, "number", reliable())
    for round_ in range(5):
        found: list[float] = []
        subscription = graph.node.create_subscription(
            Float64, "number", lambda m, found=found: found.append(m.data), reliable()
        )
        graph.wait_for(lambda: publisher.get_subscription_count() == 1)
        publisher.publish(Float64(data=float(round_)))
        graph.wait_for(lambda found=found: found)
        graph.node.destroy_subscription(subscription)
        graph.wait_for(lambda: publisher.get_subscription_count() == 0)
    assert not graph.errors


def test_a_callback_may_destroy_its_own_subscription(graph: Graph) -> None:
    found: list[float] = []
    made: list = []

    def once(message: Float64) -> None:
        found.append(message.data)
        graph.node.destroy_subscription(made.pop())

    publisher = graph.other.create_publisher(Float64, "number", reliable())
    made.append(graph.node.create_subscription(Float64, "number", once, reliable()))
    graph.wait_for(lambda: publisher.get_subscription_count() == 1)
    for value in (1.0, 2.0, 3.0):
        publisher.publish(Float64(data=value))
    graph.wait_for(lambda: publisher.get_subscription_count() == 0)
    assert found == [1.0]
    assert not graph.errors


def test_an_entity_that_was_destroyed_in_its_turn_ends_nothing(graph: Graph) -> None:
    """A wait set may hold what a callback of the same turn destroys."""
    subscription = graph.node.create_subscription(Float64, "number", print, reliable())
    service = graph.node.create_service(Trigger, "ask", lambda _, response: response)
    events = list(subscription.event_handlers)
    graph.node.destroy_subscription(subscription)
    graph.node.destroy_service(service)
    lean_executor._hand_over(subscription)
    assert graph.executor._take_subscription(subscription) is None
    assert graph.executor._take_service(service) is None
    for event in events:
        event._ready_to_take_data = True
        assert graph.executor._take_waitable(event) is None


def test_an_answer_may_take_its_time_while_others_are_served(graph: Graph) -> None:
    from evla_ros.ros import callbacks
    from evla_ros.ros.background import Background

    background, go, ticks = Background(graph.node), threading.Event(), []

    async def slowly(_: Trigger.Request) -> str:
        return await background.do(lambda: "done" if go.wait(30.0) else "too late")

    callbacks.serve(graph.node, Trigger, "slow", slowly)
    callbacks.serve(graph.node, Trigger, "quick", lambda _: "now")
    graph.node.create_timer(0.02, lambda: ticks.append(1))
    clients = {n: graph.other.create_client(Trigger, n) for n in ("slow", "quick")}
    assert all(client.wait_for_service(20.0) for client in clients.values())
    slow = clients["slow"].call_async(Trigger.Request())
    quick = clients["quick"].call_async(Trigger.Request())
    graph.wait_for(quick.done)
    before = len(ticks)
    graph.wait_for(lambda: len(ticks) > before + 5)
    assert not slow.done()
    go.set()
    graph.wait_for(slow.done)
    assert slow.result().message == "done"
    assert not graph.errors
    background.close()


def test_an_answer_to_a_service_that_is_gone_ends_nothing(graph: Graph) -> None:
    from evla_ros.ros import callbacks
    from evla_ros.ros.background import Background

    background, asked, go = Background(graph.node), threading.Event(), threading.Event()

    async def slowly(_: Trigger.Request) -> str:
        asked.set()
        return await background.do(lambda: "done" if go.wait(30.0) else "too late")

    service = callbacks.serve(graph.node, Trigger, "slow", slowly)
    client = graph.other.create_client(Trigger, "slow")
    assert client.wait_for_service(20.0)
    client.call_async(Trigger.Request())
    assert asked.wait(20.0)
    graph.node.destroy_service(service)
    go.set()
    ticks: list[int] = []
    graph.node.create_timer(0.02, lambda: ticks.append(1))
    graph.wait_for(lambda: len(ticks) > 50)
    assert not graph.errors
    background.close()


def test_what_a_callback_raises_ends_the_spinning(graph: Graph) -> None:
    def fail(_: Float64) -> None:
        raise ValueError("no")

    graph.node.create_subscription(Float64, "number", fail, reliable())
    publisher = graph.other.create_publisher(Float64, "number", reliable())
    graph.wait_for(lambda: publisher.get_subscription_count() == 1)
    publisher.publish(Float64(data=1.0))
    graph.wait_for(lambda: graph.errors)
    assert isinstance(graph.errors[0], ValueError)


def test_where_rclpy_is_made_otherwise_its_own_executor_serves(
    ros_domain: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lean_executor, "rclpy_implementation", object())
    graph = Graph(ros_domain)
    ticks: list[float] = []
    graph.node.create_timer(0.02, lambda: ticks.append(time.monotonic()))
    graph.wait_for(lambda: len(ticks) > 3)
    graph.close()
