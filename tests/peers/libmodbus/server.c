/* A libmodbus device: `server tcp PORT` or `server rtu DEVICE BAUD`. Prints "ready" when it listens.
 * Its registers follow the formula of tests/peers/foreign_modbus.py; units 1 to 3 answer (TCP), unit 1 (RTU). */
#include <modbus.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define COUNT 300

static modbus_mapping_t *mapping_of(int unit) {
    modbus_mapping_t *mapping = modbus_mapping_new(COUNT, COUNT, COUNT, COUNT);
    if (mapping == NULL) exit(1);
    for (int i = 0; i < COUNT; i++) {
        mapping->tab_bits[i] = (i + unit) % 3 == 0;
        mapping->tab_input_bits[i] = (i + unit) % 5 == 0;
        mapping->tab_registers[i] = (uint16_t)(i * 257 + unit);
        mapping->tab_input_registers[i] = (uint16_t)(i * 263 + unit);
    }
    return mapping;
}

int main(int argc, char **argv) {
    if (argc < 3) return 2;
    int rtu = strcmp(argv[1], "rtu") == 0;
    modbus_mapping_t *units[4] = {NULL, mapping_of(1), mapping_of(2), mapping_of(3)};
    modbus_t *context = rtu ? modbus_new_rtu(argv[2], atoi(argv[3]), 'E', 8, 1) : modbus_new_tcp("127.0.0.1", atoi(argv[2]));
    uint8_t query[MODBUS_TCP_MAX_ADU_LENGTH];
    int header = modbus_get_header_length(context), listener = -1;
    if (rtu) {
        modbus_set_slave(context, 1);
        if (modbus_connect(context) != 0) return 1;
    } else {
        listener = modbus_tcp_listen(context, 1);
    }
    puts("ready");
    fflush(stdout);
    for (;;) {
        if (!rtu) modbus_tcp_accept(context, &listener);
        for (;;) {
            int length = modbus_receive(context, query);
            if (length == -1 && !rtu) break;
            if (length <= 0) continue;
            int unit = query[header - 1];
            if (unit >= 1 && unit <= 3) modbus_reply(context, query, length, units[unit]);
        }
        modbus_close(context);
    }
}
