/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A terminal on VGA text memory or a linear framebuffer. What is on the screen is kept here as characters, so that video
 * memory, which is slow to read, is written only, and only where a character changed. Console lock held.
 */
#include <hv/errno.h>
#include <hv/string.h>
#include "internal.h"

#define MAX_COLUMNS 256U
#define MAX_ROWS 128U
#define FONT_WIDTH 8U
#define FONT_HEIGHT 16U
#define TAB_STOP 8U
#define ASCII_ESCAPE 0x1b
#define TEXT_ATTRIBUTE 0x0700   /* grey on black */
#define LEVEL 0xaaU             /* brightness of framebuffer text */

struct screen {
	struct console_device dev;
	struct console_video video;
	u32 columns, rows;
	u32 scroll_step;        /* rows to scroll at once: a framebuffer redraws slowly */
	u32 x, y;
	u32 ink;                /* pixel value of text */
	enum { PLAIN, ESCAPE, SEQUENCE } state; /* inside a terminal escape sequence, which is left out */
	char cells[MAX_ROWS][MAX_COLUMNS];
};

static struct screen screen;

static void pixel_write(volatile u8 *at, u8 bytes, u32 val)
{
	switch (bytes) {
	case 4:
		*(volatile u32 *)at = val;
		break;
	case 3:
		at[0] = (u8)val;
		at[1] = (u8)(val >> 8);
		at[2] = (u8)(val >> 16);
		break;
	default:
		*(volatile u16 *)at = (u16)val;
		break;
	}
}

static void glyph_draw(struct screen *s, u32 x, u32 y, char c)
{
	u8 bytes = (u8)((s->video.bpp + 7) / 8);
	volatile u8 *row = (volatile u8 *)s->video.memory + (size_t)y * FONT_HEIGHT * s->video.pitch +
			   (size_t)x * FONT_WIDTH * bytes;

	for (u32 i = 0; i < FONT_HEIGHT; i++, row += s->video.pitch) {
		u8 bits = font_glyphs[c - ' '][i / 2];

		for (u32 k = 0; k < FONT_WIDTH; k++)
			pixel_write(row + (size_t)k * bytes, bytes, (bits & 0x80 >> k) != 0 ? s->ink : 0);
	}
}

static void cell_draw(struct screen *s, u32 x, u32 y)
{
	char c = s->cells[y][x];

	if (s->video.kind == CONSOLE_VIDEO_TEXT)
		((volatile u16 *)s->video.memory)[y * s->columns + x] = (u16)(TEXT_ATTRIBUTE | (u8)c);
	else
		glyph_draw(s, x, y, c);
}

static void cell_set(struct screen *s, u32 x, u32 y, char c)
{
	if (s->cells[y][x] == c)
		return;
	s->cells[y][x] = c;
	cell_draw(s, x, y);
}

static void scroll(struct screen *s)
{
	u32 step = s->scroll_step;

	for (u32 y = 0; y < s->rows; y++)
		for (u32 x = 0; x < s->columns; x++)
			cell_set(s, x, y, y + step < s->rows ? s->cells[y + step][x] : ' ');
	s->y -= step;
}

static void line_feed(struct screen *s)
{
	s->x = 0;
	s->y++;
	if (s->y == s->rows)
		scroll(s);
}

/* Is c part of an escape sequence: ESC and a letter, or ESC [, parameters, and a letter? */
static bool escape_skip(struct screen *s, char c)
{
	if (s->state == PLAIN) {
		if (c != ASCII_ESCAPE)
			return false;
		s->state = ESCAPE;
	} else if (s->state == ESCAPE) {
		s->state = c == '[' ? SEQUENCE : PLAIN;
	} else if (c >= '@' && c <= '~') {
		s->state = PLAIN;
	}
	return true;
}

static void character_put(struct screen *s, char c)
{
	if (escape_skip(s, c))
		return;
	switch (c) {
	case '\n':
		line_feed(s);
		break;
	case '\r':
		s->x = 0;
		break;
	case '\b':
		s->x -= s->x > 0 ? 1 : 0;
		break;
	case '\t':
		s->x = MIN(ROUND_UP(s->x + 1, TAB_STOP), s->columns - 1);
		break;
	default:
		if ((u8)c < ' ')
			break;
		if (s->x == s->columns)
			line_feed(s);
		cell_set(s, s->x++, s->y, c <= '~' && c >= ' ' ? c : '?');
		break;
	}
}

static void screen_write(struct console_device *dev, const char *text, size_t len)
{
	struct screen *s = container_of(dev, struct screen, dev);

	for (size_t i = 0; i < len; i++)
		character_put(s, text[i]);
}

struct console_device *screen_device(void)
{
	return &screen.dev;
}

static bool colour_sound(u8 pos, u8 size, u8 bpp)
{
	return size > 0 && size <= 8 && pos + size <= bpp;
}

int screen_check(const struct console_video *v)
{
	if (v->memory == NULL)
		return -EINVAL;
	if (v->kind == CONSOLE_VIDEO_TEXT)
		return v->width > 0 && v->width <= MAX_COLUMNS && v->height > 0 && v->height <= MAX_ROWS ? 0 : -EINVAL;
	if (v->kind != CONSOLE_VIDEO_LINEAR || v->width < FONT_WIDTH || v->height < FONT_HEIGHT ||
	    (v->bpp != 15 && v->bpp != 16 && v->bpp != 24 && v->bpp != 32) ||
	    v->pitch / ((v->bpp + 7U) / 8) < v->width)
		return -EINVAL;
	if (!colour_sound(v->red_pos, v->red_size, v->bpp) || !colour_sound(v->green_pos, v->green_size, v->bpp) ||
	    !colour_sound(v->blue_pos, v->blue_size, v->bpp))
		return -EINVAL;
	return 0;
}

static u32 ink_get(const struct console_video *v)
{
	return LEVEL >> (8 - v->red_size) << v->red_pos | LEVEL >> (8 - v->green_size) << v->green_pos |
	       LEVEL >> (8 - v->blue_size) << v->blue_pos;
}

void screen_start(const struct console_video *video, bool first)
{
	struct screen *s = &screen;
	bool text = video->kind == CONSOLE_VIDEO_TEXT;
	u32 columns = text ? video->width : MIN(video->width / FONT_WIDTH, MAX_COLUMNS);
	u32 rows = text ? video->height : MIN(video->height / FONT_HEIGHT, MAX_ROWS);

	s->video = *video;
	s->dev.write = screen_write;
	if (!first && columns == s->columns && rows == s->rows)
		return;
	s->columns = columns;
	s->rows = rows;
	s->scroll_step = text ? 1 : (rows + 7) / 8;
	s->ink = text ? 0 : ink_get(video);
	s->x = 0;
	s->y = 0;
	s->state = PLAIN;
	memset(s->cells, ' ', sizeof(s->cells));
	for (u32 y = 0; y < rows; y++)
		for (u32 x = 0; x < columns; x++)
			cell_draw(s, x, y);
}
