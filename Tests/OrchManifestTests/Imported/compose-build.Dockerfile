# syntax=docker/dockerfile:1
FROM python:3.12 AS base
WORKDIR /app
COPY . .
RUN pip install -r requirements.txt \
    && rm -rf /root/.cache

FROM base AS worker
CMD celery -A app worker --loglevel=${LEVEL:-info}

FROM base
ENTRYPOINT ["uvicorn", "app.main:app"]
CMD ["--host", "0.0.0.0", "--port", "$PORT", "${NOT_ME}"]
