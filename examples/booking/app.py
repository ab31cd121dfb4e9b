"""The booking API: PostgreSQL holds the bookings, Redis tells the worker that there is one to confirm."""

import asyncio
import logging
import os
from contextlib import asynccontextmanager
from datetime import date

import psycopg
import redis.asyncio
import redis.exceptions
from fastapi import FastAPI, HTTPException
from fastapi.responses import JSONResponse
from psycopg.rows import dict_row
from psycopg_pool import AsyncConnectionPool, PoolTimeout
from pydantic import BaseModel, Field, model_validator

from health import Health, worst

logging.basicConfig(level=logging.INFO, format="%(levelname)s %(name)s: %(message)s")
logging.getLogger("psycopg.pool").setLevel(logging.ERROR)  # it repeats itself while the database is away
log = logging.getLogger("booking")

QUEUE = "bookings"
PATIENCE = 0.8  # seconds for a health check, so that it answers before the probe's own second is over
COLUMNS = "id, room, guest, lower(days) AS arrival, upper(days) AS departure, status"

# Connection parameters come from libpq's environment (PGHOST, PGPORT, …). A connection is checked before it is handed out, so one that
# died with its server is replaced and no request sees it.
pool = AsyncConnectionPool(
    "connect_timeout=2", min_size=1, max_size=8, timeout=2, reconnect_timeout=2, open=False,
    check=AsyncConnectionPool.check_connection, kwargs={"row_factory": dict_row, "autocommit": True},
)
queue = redis.asyncio.Redis(
    host="127.0.0.1", port=int(os.environ["BOOKING_QUEUE_PORT"]), socket_connect_timeout=1, socket_timeout=1,
)
health = Health()
question: asyncio.Task | None = None


@asynccontextmanager
async def lifespan(_: FastAPI):
    health.start()
    await pool.open()
    yield
    await pool.close(timeout=2)
    await queue.aclose()


app = FastAPI(title="Booking", version=health.version, lifespan=lifespan)


class Request(BaseModel):
    room: str = Field(min_length=1, max_length=100)
    guest: str = Field(min_length=1, max_length=100)
    arrival: date
    departure: date

    @model_validator(mode="after")
    def leaves_after_it_arrives(self):
        if self.departure <= self.arrival:
            raise ValueError("departure must be after arrival")
        return self


@app.exception_handler(PoolTimeout)
@app.exception_handler(psycopg.OperationalError)
async def database_is_away(_, error):
    return JSONResponse({"detail": f"the database is away: {error}"}, status_code=503)


@app.get("/")
async def greet():
    return {"message": f"{os.environ.get('BOOKING_GREETING', 'Hello')} from the booking system", "pid": os.getpid()}


@app.post("/bookings", status_code=201)
async def book(request: Request):
    try:
        async with pool.connection() as connection:
            cursor = await connection.execute(
                f"INSERT INTO bookings (room, guest, days) VALUES (%s, %s, daterange(%s, %s)) RETURNING {COLUMNS}",
                (request.room, request.guest, request.arrival, request.departure),
            )
            booking = await cursor.fetchone()
    except psycopg.errors.ExclusionViolation:
        raise HTTPException(409, f"room {request.room} is taken between {request.arrival} and {request.departure}") from None
    try:
        await queue.rpush(QUEUE, booking["id"])
    except redis.exceptions.RedisError as error:  # the worker also looks by itself, so nothing is lost
        log.warning("booking %d waits for the worker's round, the queue is away: %s", booking["id"], error)
    log.info("booking %d: room %s for %s", booking["id"], booking["room"], booking["guest"])
    return booking


@app.get("/bookings")
async def bookings(limit: int = 100):
    async with pool.connection() as connection:
        cursor = await connection.execute(f"SELECT {COLUMNS} FROM bookings ORDER BY id DESC LIMIT %s", (limit,))
        return await cursor.fetchall()


@app.get("/bookings/{id}")
async def booking(id: int):
    async with pool.connection() as connection:
        cursor = await connection.execute(f"SELECT {COLUMNS} FROM bookings WHERE id = %s", (id,))
        found = await cursor.fetchone()
    if found is None:
        raise HTTPException(404, f"there is no booking {id}")
    return found


async def ask_database():
    try:
        async with pool.connection() as connection:
            await connection.execute("SELECT 1")
        return {"status": "healthy"}
    except (psycopg.Error, PoolTimeout) as error:
        return {"status": "unhealthy", "reason": str(error)}


async def database_state():
    """Answers in time whatever the database does. A question without an answer stays open, so that a frozen database gets one and not many."""
    global question
    if question is None or question.done():
        question = asyncio.create_task(ask_database())
    await asyncio.wait([question], timeout=PATIENCE)
    return question.result() if question.done() else {"status": "unhealthy", "reason": f"no answer within {PATIENCE} s"}


async def queue_state():
    try:
        return {"status": "healthy", "waiting": await queue.llen(QUEUE)}
    except (redis.exceptions.RedisError, OSError) as error:
        return {"status": "degraded", "reason": str(error)}


def answer(report):
    return JSONResponse(report, status_code=503 if report["status"] == "unhealthy" else 200)


@app.get("/health")
async def health_of_everything():
    """All there is to know: 200 healthy, 200 degraded, or 503 unhealthy when the database is away."""
    report = health.report()
    checks = report["checks"] | {"database": await database_state(), "redis": await queue_state()}
    return answer(report | {"status": worst(report["status"], *(check["status"] for check in checks.values())), "checks": checks})


@app.get("/health/ready")
async def ready():
    """May requests come? Only the database decides: without the queue bookings are confirmed a little later."""
    database = await database_state()
    return answer({"status": database["status"], "checks": {"database": database}})


@app.get("/health/live")
async def live():
    """Would a restart help? The process and its host, but neither database nor queue: restarting the app doesn't bring those back."""
    return answer(health.report())
