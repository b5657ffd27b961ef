# The image of every Airflow service. The slim image of the same release has Airflow and its entrypoint and leaves the
# rest to the lock file: the full one carries hundreds of packages pinned to other versions than ours.
FROM apache/airflow:slim-3.3.2-python3.11

# Airflow's processes would compile 1,300 modules again at each start if the bytecode were not there.
ENV PYTHONDONTWRITEBYTECODE="" \
    PYTHONPATH=/opt/airflow \
    PRIVACY_MODE=production

COPY requirements-deploy.lock /opt/airflow/requirements-deploy.lock
RUN pip install --no-cache-dir --compile --no-deps --require-hashes --requirement /opt/airflow/requirements-deploy.lock \
    && pip check

COPY --chown=airflow:0 include /opt/airflow/include
COPY --chown=airflow:0 dags /opt/airflow/dags
COPY --chown=airflow:0 plugins /opt/airflow/plugins
COPY --chown=airflow:0 docker/init.sh /opt/airflow/docker/init.sh
RUN python -m compileall -q /opt/airflow/include /opt/airflow/dags /opt/airflow/plugins \
    && mkdir -p /opt/airflow/reports /opt/airflow/aggregates /opt/airflow/certs \
    && chmod g+rwX /opt/airflow/reports /opt/airflow/aggregates

USER 50000:0
