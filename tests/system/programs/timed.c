/* SPDX-License-Identifier: BSD-2-Clause */
/* timed NAME COMMAND...: runs a command and prints "sample NAME MILLISECONDS"; ends as the command does. */
#include <stdio.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static double now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

int main(int argc, char **argv)
{
	double start = now_ms();
	int status;
	pid_t child;

	if (argc < 3)
		return 2;
	child = fork();
	if (child == 0) {
		execvp(argv[2], argv + 2);
		perror(argv[2]);
		_exit(127);
	}
	if (child < 0 || waitpid(child, &status, 0) != child)
		return 2;
	printf("sample %s %.1f\n", argv[1], now_ms() - start);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}
