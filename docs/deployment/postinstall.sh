#!/bin/sh
# Makes the user that the service runs as. The service is not started: the owner sets
# /etc/chatcast/config.yaml first.
set -e
if command -v systemd-sysusers >/dev/null; then
	systemd-sysusers /usr/lib/sysusers.d/chatcast.conf
elif ! getent passwd chatcast >/dev/null; then
	useradd --system --user-group --no-create-home --home-dir /var/lib/chatcast --shell /usr/sbin/nologin chatcast
fi
# The file may hold secrets. A file that exists keeps what its owner has set.
chgrp chatcast /etc/chatcast/config.yaml
if [ -d /run/systemd/system ]; then
	systemctl daemon-reload
	systemctl try-restart chatcast.service
fi
if [ "$1" = configure ] && [ -z "$2" ] || [ "$1" = 1 ]; then
	echo "chatcast is installed. Set /etc/chatcast/config.yaml, then: systemctl enable --now chatcast.socket chatcast.service"
fi
