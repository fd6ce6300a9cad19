/* A libmodbus TCP device of unit 1 for benchmarks: `block_server PORT`. Prints "ready" when it listens; one client after the other.
 * Holding registers 2n and 2n + 1 hold the float32 n + 0.25, upper word first. Input registers 0 and 1 count the requests for holding
 * registers, input registers 2 and 3 its CPU time in microseconds; upper word first. */
#include <modbus.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define COUNT 65536

static void put(uint16_t *at, uint32_t number) {
    at[0] = (uint16_t)(number >> 16);
    at[1] = (uint16_t)number;
}

int main(int argc, char **argv) {
    if (argc < 2) return 2;
    modbus_mapping_t *mapping = modbus_mapping_new(0, 0, COUNT, 4);
    if (mapping == NULL) return 1;
    for (int n = 0; n < COUNT / 2; n++) {
        float value = (float)n + 0.25f;
        uint32_t bits;
        memcpy(&bits, &value, sizeof bits);
        put(&mapping->tab_registers[2 * n], bits);
    }
    modbus_t *context = modbus_new_tcp("127.0.0.1", atoi(argv[1]));
    uint8_t query[MODBUS_TCP_MAX_ADU_LENGTH];
    int header = modbus_get_header_length(context), listener = modbus_tcp_listen(context, 4);
    uint32_t requests = 0;
    if (listener == -1) return 1;
    puts("ready");
    fflush(stdout);
    for (;;) {
        modbus_tcp_accept(context, &listener);
        for (;;) {
            int length = modbus_receive(context, query);
            if (length == -1) break;
            if (length <= 0) continue;
            if (query[header] == MODBUS_FC_READ_HOLDING_REGISTERS) {
                requests++;
            } else {
                put(mapping->tab_input_registers, requests);
                put(mapping->tab_input_registers + 2, (uint32_t)((double)clock() * 1e6 / CLOCKS_PER_SEC));
            }
            modbus_reply(context, query, length, mapping);
        }
        modbus_close(context);
    }
}
