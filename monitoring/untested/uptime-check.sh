#!/bin/sh
# This example has not been run by its authors.
#
# An HTTP uptime check from outside, here with UptimeRobot's API: it sees what the firewall's own numbers can't, whether
# clients reach the site. Run it once, anywhere, with your own key, name and site.
set -eu

curl --fail --silent --show-error https://api.uptimerobot.com/v2/newMonitor \
  --data-urlencode "api_key=${UPTIMEROBOT_KEY:?set it to your main API key}" \
  --data-urlencode "format=json" \
  --data-urlencode "type=1" \
  --data-urlencode "friendly_name=www.foobar.com" \
  --data-urlencode "url=https://www.foobar.com/" \
  --data-urlencode "interval=300"
