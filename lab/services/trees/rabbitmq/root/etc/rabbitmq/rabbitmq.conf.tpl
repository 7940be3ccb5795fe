listeners.tcp.default = __RABBITMQ_PORT__
vm_memory_high_watermark.absolute = 256MB
disk_free_limit.absolute = 5MB
