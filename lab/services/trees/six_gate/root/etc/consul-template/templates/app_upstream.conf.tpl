# for test env

{{applications bkapps/upstreams/test}}# for prod env

{{applications bkapps/upstreams/prod}}
