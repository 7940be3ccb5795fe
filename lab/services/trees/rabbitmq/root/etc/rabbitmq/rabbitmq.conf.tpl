listeners.tcp.1 = __BIND_IP__:__RABBITMQ_PORT__
vm_memory_high_watermark.absolute = 256MB
disk_free_limit.absolute = 5MB
