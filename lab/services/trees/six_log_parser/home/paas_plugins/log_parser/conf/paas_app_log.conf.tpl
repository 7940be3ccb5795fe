# SaaS logs: redis list -> elasticsearch
input {
  redis {
    host => "redis.service.consul"
    port => __REDIS_PORT__
    password => "__REDIS_PASS__"
    db => 0
    key => "paas_app_log"
    data_type => "list"
    codec => json
  }
}

output {
  elasticsearch {
    hosts => ["es7.service.consul:__ES_REST_PORT__"]
    index => "paas_app_log-%{+YYYY.MM.dd}"
  }
}
