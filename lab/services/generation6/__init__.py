"""What the hosts of generation 6.0 and 6.1 have: units of systemd, consul, consul-template, openresty's paths."""
