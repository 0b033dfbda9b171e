import os
import signal
import socket

import pytest
import redis as client

from merchant.embedded import ports, redis


def connect(url):
    return client.Redis.from_url(url, decode_responses=True)


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "redis"


def test_a_restart_keeps_data_and_address(folder):
    with redis.server(folder) as first, connect(first) as server:
        server.set("kept", "yes")
    with redis.server(folder) as second, connect(second) as server:
        assert second == first
        assert server.get("kept") == "yes"


def test_data_is_whole_after_a_kill(folder):
    with redis.server(folder) as url, connect(url) as server:
        server.rpush("tasks", *range(100))
        os.kill(server.info("server")["process_id"], signal.SIGKILL)
    with redis.server(folder) as url, connect(url) as server:
        assert server.llen("tasks") == 100


def test_a_server_left_behind_is_stopped_and_its_data_served_again(folder):
    with redis.server(folder) as left_behind, connect(left_behind) as server:
        server.set("kept", "yes")
        old = server.info("server")["process_id"]
        with redis.server(folder) as url, connect(url) as successor:
            assert successor.info("server")["process_id"] != old
            assert successor.get("kept") == "yes"


def test_a_full_server_says_so_and_forgets_nothing(folder):
    with redis.server(folder) as url, connect(url) as server:
        assert server.config_get("maxmemory-policy") == {"maxmemory-policy": "noeviction"}


def test_a_stranger_without_the_password_gets_nothing(folder):
    with redis.server(folder) as url:
        stranger = connect("redis://" + url.split("@")[1])
        with stranger, pytest.raises(client.AuthenticationError):
            stranger.ping()
    for name in ("password", "redis.conf"):
        assert (folder / name).stat().st_mode & 0o777 == 0o600


def test_a_taken_port_is_left_to_who_has_it(folder):
    folder.mkdir()
    with socket.create_server((ports.HOST, 0)) as stranger:
        taken = stranger.getsockname()[1]
        (folder / "port").write_text(str(taken))
        with redis.server(folder) as url:
            assert f":{taken}/" not in url
