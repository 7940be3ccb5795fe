#!/bin/bash
# Start the deployed applications that do not run yet, as the agent does after a reboot.
for project in /data/*/paas_agent/apps/projects/*/; do
    name=$(basename "$project")
    pid=$(cat "$project/run/uwsgi.pid" 2>/dev/null)
    [ -n "$pid" ] && [ "$(cat "/proc/$pid/comm" 2>/dev/null)" = uwsgi ] && continue
    "${project%/projects/*}/Envs/$name/bin/uwsgi" --ini "$project/conf/$name.ini"
done
