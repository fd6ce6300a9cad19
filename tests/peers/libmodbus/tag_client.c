/* Reads float32 tags one request each, as a plain libmodbus program does: `tag_client PORT ROUNDS < numbers`. The numbers, one a line, are
 * those of block_server.c: number n stands at register 2n. Checks every value, and prints wall and CPU seconds of the rounds. */
#include <modbus.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static double now(clockid_t which) {
    struct timespec at;
    clock_gettime(which, &at);
    return (double)at.tv_sec + (double)at.tv_nsec / 1e9;
}

int main(int argc, char **argv) {
    static int numbers[32768];
    int count = 0;
    if (argc < 3) return 2;
    while (count < 32768 && scanf("%d", &numbers[count]) == 1) count++;
    modbus_t *context = modbus_new_tcp("127.0.0.1", atoi(argv[1]));
    modbus_set_slave(context, 1);
    if (modbus_connect(context) != 0) return 1;
    double wall = now(CLOCK_MONOTONIC), cpu = now(CLOCK_PROCESS_CPUTIME_ID);
    for (int round = 0; round < atoi(argv[2]); round++) {
        for (int n = 0; n < count; n++) {
            uint16_t words[2];
            if (modbus_read_registers(context, 2 * numbers[n], 2, words) != 2) return 1;
            if (modbus_get_float_abcd(words) != (float)numbers[n] + 0.25f) return 3;
        }
    }
    printf("%.6f %.6f\n", now(CLOCK_MONOTONIC) - wall, now(CLOCK_PROCESS_CPUTIME_ID) - cpu);
    modbus_close(context);
    return 0;
}
