"""Checks a server with python-etcd3: checks.py HOST:PORT [REGEX].

Prints PASS or FAIL for each check and DONE at its end.
"""

import queue
import re
import sys
import threading
import time
import traceback

import etcd3
import etcd3.exceptions

CHECKS = []


def check(function):
    """Makes a function with a client and a prefix of its own a check, named as it is."""
    CHECKS.append(function)
    return function


def eventually(what, holds):
    deadline = time.monotonic() + 10
    while not holds():
        assert time.monotonic() < deadline, "timed out waiting until " + what
        time.sleep(0.01)


@check
def put_and_get(client, prefix):
    client.put(prefix + "a", "one")
    value, meta = client.get(prefix + "a")
    assert value == b"one"
    assert meta.key == (prefix + "a").encode()
    assert meta.version == 1
    assert meta.create_revision == meta.mod_revision
    assert meta.lease_id == 0
    assert client.get(prefix + "none") == (None, None)


@check
def put_with_previous_value(client, prefix):
    client.put(prefix + "a", "one")
    response = client.put(prefix + "a", "two", prev_kv=True)
    assert response.prev_kv.value == b"one"
    revisions = [client.put(prefix + "a", "x").header.revision for _ in range(3)]
    assert revisions == list(range(revisions[0], revisions[0] + 3))


@check
def put_if_not_exists(client, prefix):
    assert client.put_if_not_exists(prefix + "a", "one")
    assert not client.put_if_not_exists(prefix + "a", "two")
    assert client.get(prefix + "a")[0] == b"one"


@check
def replace(client, prefix):
    client.put(prefix + "a", "one")
    assert not client.replace(prefix + "a", "other", "two")
    assert client.replace(prefix + "a", "one", "two")
    assert client.get(prefix + "a")[0] == b"two"


@check
def get_prefix_and_range(client, prefix):
    for name in ("b", "a", "c"):
        client.put(prefix + name, name)

    def keys(found):
        return [meta.key.decode()[len(prefix):] for _, meta in found]

    assert keys(client.get_prefix(prefix)) == ["a", "b", "c"]
    assert keys(client.get_prefix(prefix, sort_order="descend")) == ["c", "b", "a"]
    by_creation = client.get_prefix(prefix, sort_order="ascend", sort_target="create")
    assert keys(by_creation) == ["b", "a", "c"]
    assert keys(client.get_range(prefix + "a", prefix + "c")) == ["a", "b"]
    assert [value for value, _ in client.get_prefix(prefix, keys_only=True)] == [b"", b"", b""]
    assert list(client.get_prefix(prefix + "none")) == []


@check
def delete_and_delete_prefix(client, prefix):
    for name in "abc":
        client.put(prefix + name, name)
    assert client.delete(prefix + "a")
    assert not client.delete(prefix + "a")
    response = client.delete(prefix + "b", prev_kv=True, return_response=True)
    assert response.prev_kvs[0].value == b"b"
    assert client.delete_prefix(prefix).deleted == 1
    assert list(client.get_prefix(prefix)) == []


@check
def watch_iterator(client, prefix):
    events, cancel = client.watch(prefix + "a")
    client.put(prefix + "a", "one")
    client.put(prefix + "a", "two")
    client.delete(prefix + "a")
    seen = [next(events) for _ in range(3)]
    assert [type(event).__name__ for event in seen] == ["PutEvent", "PutEvent", "DeleteEvent"]
    assert [event.value for event in seen[:2]] == [b"one", b"two"]
    assert all(event.key == (prefix + "a").encode() for event in seen)
    cancel()
    assert list(events) == []


@check
def watch_prefix_with_previous_values(client, prefix):
    events, cancel = client.watch_prefix(prefix, prev_kv=True)
    client.put(prefix + "a", "one")
    client.put(prefix + "b", "two")
    client.put(prefix + "a", "three")
    seen = [next(events) for _ in range(3)]
    assert [event.value for event in seen] == [b"one", b"two", b"three"]
    assert seen[2].prev_value == b"one"
    cancel()


@check
def watch_from_the_past(client, prefix):
    first = client.put(prefix + "a", "0").header.revision
    for i in range(1, 50):
        client.put(prefix + "a", str(i))
    events, cancel = client.watch(prefix + "a", start_revision=first)
    assert [next(events).value for _ in range(50)] == [str(i).encode() for i in range(50)]
    cancel()


@check
def watch_of_a_compacted_revision(client, prefix):
    first = client.put(prefix + "a", "0").header.revision
    last = client.put(prefix + "a", "1").header.revision
    client.compact(last)
    events, _ = client.watch(prefix + "a", start_revision=first)
    try:
        next(events)
    except etcd3.exceptions.RevisionCompactedError as error:
        assert error.compacted_revision == last
    else:
        raise AssertionError("no error")


@check
def add_watch_callback_and_cancel_watch(client, prefix):
    responses = queue.Queue()
    watch_id = client.add_watch_callback(prefix + "a", responses.put)
    client.put(prefix + "a", "one")
    response = responses.get(timeout=10)
    assert [event.value for event in response.events] == [b"one"]
    client.cancel_watch(watch_id)
    marker_id = client.add_watch_callback(prefix + "marker", responses.put)
    client.put(prefix + "a", "two")
    client.put(prefix + "marker", "x")
    response = responses.get(timeout=10)
    assert [event.key for event in response.events] == [(prefix + "marker").encode()]
    client.cancel_watch(marker_id)


@check
def watch_once(client, prefix):
    timer = threading.Timer(0.2, lambda: client.put(prefix + "a", "one"))
    timer.start()
    assert client.watch_once(prefix + "a", timeout=10).value == b"one"
    timer.join()
    try:
        client.watch_once(prefix + "a", timeout=0.2)
    except etcd3.exceptions.WatchTimedOut:
        return
    raise AssertionError("no time-out")


@check
def many_watches(client, prefix):
    responses = queue.Queue()
    ids = [client.add_watch_callback(prefix + str(i), responses.put) for i in range(30)]
    for i in range(30):
        client.put(prefix + str(i), str(i))
    values = {event.value for _ in ids for event in responses.get(timeout=10).events}
    assert values == {str(i).encode() for i in range(30)}
    for watch_id in ids:
        client.cancel_watch(watch_id)


@check
def lease_life(client, prefix):
    lease = client.lease(100)
    client.put(prefix + "a", "one", lease=lease)
    assert lease.granted_ttl == 100
    assert 90 < lease.remaining_ttl <= 100
    assert list(lease.keys) == [(prefix + "a").encode()]
    assert client.get(prefix + "a")[1].lease_id == lease.id
    lease.revoke()
    assert client.get(prefix + "a")[0] is None


@check
def lease_refresh(client, prefix):
    lease = client.lease(3)
    client.put(prefix + "a", "one", lease=lease)
    for _ in range(4):
        time.sleep(1)
        assert [response.TTL for response in lease.refresh()] == [3]
    assert client.get(prefix + "a")[0] == b"one"
    started = time.monotonic()
    eventually("the key is gone", lambda: client.get(prefix + "a")[0] is None)
    assert time.monotonic() - started > 1
    assert client.get_lease_info(lease.id).TTL == -1


@check
def lease_with_a_chosen_id(client, prefix):
    lease = client.lease(100, lease_id=987654321)
    assert lease.id == 987654321
    client.put(prefix + "a", "one", lease=987654321)
    client.revoke_lease(987654321)
    assert client.get(prefix + "a")[0] is None


@check
def transaction(client, prefix):
    client.put(prefix + "a", "one")
    arms = {
        "compare": [
            client.transactions.value(prefix + "a") == "one",
            client.transactions.version(prefix + "a") > 0,
        ],
        "success": [
            client.transactions.put(prefix + "a", "two"),
            client.transactions.get(prefix + "a"),
        ],
        "failure": [client.transactions.delete(prefix + "a")],
    }
    succeeded, responses = client.transaction(**arms)
    assert succeeded
    assert responses[1][0][0] == b"two"
    succeeded, _ = client.transaction(**arms)
    assert not succeeded
    assert client.get(prefix + "a")[0] is None


@check
def transaction_compares(client, prefix):
    revision = client.put(prefix + "a", "m").header.revision
    tx = client.transactions

    def holds(compare):
        return client.transaction(compare=[compare], success=[], failure=[])[0]

    assert holds(tx.create(prefix + "a") == revision)
    assert holds(tx.mod(prefix + "a") < revision + 1)
    assert holds(tx.version(prefix + "a") != 2)
    assert not holds(tx.value(prefix + "a") > "n")
    assert holds(tx.create(prefix + "none") == 0)


@check
def locks(client, prefix):
    order = []

    def work(name, host, port):
        other = etcd3.client(host=host, port=port)
        with other.lock(prefix + "lock", ttl=20):
            order.append(name + " in")
            time.sleep(0.05)
            order.append(name + " out")

    threads = [threading.Thread(target=work, args=(str(i), HOST, PORT)) for i in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(order) == 6
    for entered, left in zip(order[::2], order[1::2]):
        assert entered.split()[0] == left.split()[0], order


@check
def lock_that_is_held(client, prefix):
    first = client.lock(prefix + "lock", ttl=20)
    assert first.acquire()
    assert first.is_acquired()
    other = etcd3.client(host=HOST, port=PORT).lock(prefix + "lock", ttl=20)
    assert not other.acquire(timeout=0.3)
    assert first.release()
    assert other.acquire(timeout=5)
    assert not first.is_acquired()
    assert other.release()


@check
def status_and_members(client, prefix):
    status = client.status()
    assert status.version == "3.7.3"
    assert status.db_size > 0
    assert status.leader.name == "suite"
    members = list(client.members)
    assert [member.name for member in members] == ["suite"]
    assert list(client.list_alarms()) == []
    client.defragment()
    assert client.hash() is not None


@check
def errors(client, prefix):
    revision = client.put(prefix + "a", "one").header.revision
    client.compact(revision)
    try:
        client.compact(revision)
    except Exception as error:
        assert "required revision has been compacted" in str(error)
    else:
        raise AssertionError("no error")


def run(function, number):
    client = etcd3.client(host=HOST, port=PORT, timeout=15)
    try:
        function(client, "python/{}/".format(number))
    finally:
        client.close()


HOST, PORT = sys.argv[1].rsplit(":", 1)
PATTERN = re.compile(sys.argv[2] if len(sys.argv) > 2 else "")
for index, body in enumerate(CHECKS):
    title = body.__name__.replace("_", " ")
    if not PATTERN.search("python " + title):
        continue
    try:
        run(body, index)
    except BaseException:  # pylint: disable=broad-except
        print("FAIL {}: {}".format(title, traceback.format_exc().replace("\n", "\\n")))
    else:
        print("PASS " + title)
print("DONE")
