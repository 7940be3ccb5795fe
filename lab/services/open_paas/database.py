"""MariaDB as the services use it. As in the original nothing but the TCP connect can time out: a hung server hangs them."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pymysql

NO_LIMIT = 31536000  # seconds; the longest that pymysql accepts
LOST = (2006, 2013, 2055)  # errors of a connection that the server has dropped


class Database:
    """One connection a request (the default), or one kept for the life of the worker (`pooled`)."""

    def __init__(self, settings: SimpleNamespace, *, pooled: bool = False) -> None:
        self.where = settings.DATABASES["default"]
        self.pooled = pooled
        self.connection: pymysql.Connection[Any] | None = None

    def query(self, sql: str, *values: object) -> list[tuple[Any, ...]]:
        """Return the rows of a statement; every statement commits."""
        connection = self.connection or self._connect()
        try:
            with connection.cursor() as cursor:
                cursor.execute(sql, values)
                return list(cursor.fetchall())
        except pymysql.err.OperationalError as error:
            if error.args[0] in LOST:
                self.close()
            raise

    def _connect(self) -> pymysql.Connection[Any]:
        self.connection = pymysql.connect(
            host=self.where["HOST"],
            port=int(self.where["PORT"]),
            user=self.where["USER"],
            password=self.where["PASSWORD"],
            database=self.where["NAME"],
            charset="utf8",
            autocommit=True,
            connect_timeout=NO_LIMIT,
        )
        return self.connection

    def close(self) -> None:
        """Give the connection up, as at the end of a request."""
        if self.connection:
            connection, self.connection = self.connection, None
            if connection.open:
                connection.close()
