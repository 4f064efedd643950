/* SPDX-License-Identifier: BSD-2-Clause */
/* onpty COMMAND...: runs a command on a terminal of its own, whose keyboard is our input and whose screen our output. */
#include <poll.h>
#include <pty.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

static int copy(int from, int to)
{
	char buffer[4096];
	ssize_t n = read(from, buffer, sizeof(buffer));

	return n > 0 && write(to, buffer, (size_t)n) == n;
}

int main(int argc, char **argv)
{
	int master, status;
	pid_t child;

	if (argc < 2)
		return 2;
	child = forkpty(&master, NULL, NULL, NULL);
	if (child < 0) {
		perror("forkpty");
		return 2;
	}
	if (child == 0) {
		execvp(argv[1], argv + 1);
		perror(argv[1]);
		_exit(127);
	}
	struct pollfd fds[] = { { .fd = master, .events = POLLIN }, { .fd = 0, .events = POLLIN } };

	while (poll(fds, 2, -1) > 0) {
		if (fds[0].revents && !copy(master, 1))
			break;
		/* When the keyboard ends, the command goes on. */
		if (fds[1].revents && !copy(0, master))
			fds[1].fd = -1;
	}
	close(master);
	waitpid(child, &status, 0);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}
