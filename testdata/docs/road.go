package main

import (
	"bytes"
	"fmt"
	"html"
	"strings"
)

// A road is a picture of two ends and the steps between them, there and back.
type road struct {
	title     string
	from, to  step
	out, back []step // as they are walked: back from right to left
	notes     []string
}

// A step is a box: its name, and small print below that, line by line.
type step struct {
	name  string
	lines []string
}

// Measures of the picture, in pixels of a drawing that is as wide as a page of GitHub's.
const (
	boxWidth  = 142
	boxHeight = 84
	across    = 34 // between two boxes: room for an arrow
	between   = 26 // between the two ways
	margin    = 18
	steps     = 3 // of each way
	perLetter = 6.6
)

// parseRoad reads the text that a picture is made of: a word and what it says on each line. Lines
// that are empty or begin with # do not count. An error names the line.
func parseRoad(text string) (road, error) {
	var r road
	for i, line := range strings.Split(text, "\n") {
		line = strings.TrimSpace(line)
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		word, rest, _ := strings.Cut(line, " ")
		rest = strings.TrimSpace(rest)
		box, err := parseStep(rest)
		switch word {
		case "title":
			r.title, err = rest, nil
		case "note":
			r.notes, err = append(r.notes, rest), nil
		case "from":
			r.from = box
		case "to":
			r.to = box
		case "out":
			r.out = append(r.out, box)
		case "back":
			r.back = append(r.back, box)
		default:
			err = fmt.Errorf("want title, from, to, out, back or note, got %q", word)
		}
		if err != nil {
			return road{}, fmt.Errorf("line %d: %w", i+1, err)
		}
	}
	if len(r.out) != steps || len(r.back) != steps {
		return road{}, fmt.Errorf("%d steps there and %d back; want %d each", len(r.out), len(r.back), steps)
	}
	return r, nil
}

func parseStep(text string) (step, error) {
	var s step
	for i, line := range strings.Split(text, "|") {
		line = strings.TrimSpace(line)
		if float64(len([]rune(line)))*perLetter > boxWidth {
			return s, fmt.Errorf("%q is wider than its box", line)
		}
		if i == 0 {
			s.name = line
		} else {
			s.lines = append(s.lines, line)
		}
	}
	return s, nil
}

// style has colours for a light page and for a dark one. The picture has a ground of its own: it
// can be read also where a viewer knows nothing of either.
const style = `
  text { font-family: -apple-system, "Segoe UI", Helvetica, Arial, sans-serif; fill: #1f2328; text-anchor: middle }
  .name { font-size: 14px; font-weight: 600 } .line { font-size: 12px; fill: #59636e } .note { font-size: 12.5px; fill: #59636e }
  .ground { fill: #ffffff; stroke: #d1d9e0 } .box { fill: #f6f8fa; stroke: #818b98 } .end { fill: #eef2f6; stroke: #59636e }
  .out { stroke: #0969da; fill: none } .outhead { fill: #0969da } .back { stroke: #1a7f37; fill: none } .backhead { fill: #1a7f37 }
  @media (prefers-color-scheme: dark) {
    text { fill: #f0f6fc } .line, .note { fill: #a5adb6 }
    .ground { fill: #0d1117; stroke: #3d444d } .box { fill: #151b23; stroke: #656c76 } .end { fill: #212830; stroke: #9198a1 }
    .out { stroke: #4493f8 } .outhead { fill: #4493f8 } .back { stroke: #3fb950 } .backhead { fill: #3fb950 }
  }
`

// svg draws the road. Equal roads give equal bytes.
func (r road) svg() []byte {
	const (
		tall  = 2*boxHeight + between
		pitch = boxWidth + across
		width = (steps+2)*boxWidth + (steps+1)*across + 2*margin
		upper = margin
		lower = margin + boxHeight + between
	)
	height := 2*margin + tall + 10 + 20*len(r.notes)
	title := html.EscapeString(r.title)
	var b bytes.Buffer
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" width="%d" height="%d" viewBox="0 0 %d %d" role="img" aria-label="%s">`+"\n", width, height, width, height, title)
	fmt.Fprintf(&b, "<title>%s</title>\n<style>%s</style>\n", title, style)
	fmt.Fprintf(&b, `<rect class="ground" x="0.5" y="0.5" width="%d" height="%d" rx="8"/>`+"\n", width-1, height-1)
	r.from.draw(&b, "end", margin, upper, tall)
	r.to.draw(&b, "end", margin+(steps+1)*pitch, upper, tall)
	for i := range steps {
		r.out[i].draw(&b, "box", margin+(i+1)*pitch, upper, boxHeight)
		r.back[i].draw(&b, "box", margin+(steps-i)*pitch, lower, boxHeight)
	}
	for i := range steps + 1 {
		left := margin + i*pitch + boxWidth
		arrow(&b, "out", left, left+across, upper+boxHeight/2)
		arrow(&b, "back", left+across, left, lower+boxHeight/2)
	}
	for i, note := range r.notes {
		fmt.Fprintf(&b, `<text class="note" x="%d" y="%d">%s</text>`+"\n", width/2, margin+tall+26+20*i, html.EscapeString(note))
	}
	b.WriteString("</svg>\n")
	return b.Bytes()
}

// draw draws a box with its name and its small print, in the middle of it.
func (s step) draw(b *bytes.Buffer, class string, x, y, height int) {
	fmt.Fprintf(b, `<rect class="%s" x="%d" y="%d" width="%d" height="%d" rx="6"/>`+"\n", class, x, y, boxWidth, height)
	middle, line := x+boxWidth/2, y+height/2+5-9*len(s.lines)
	fmt.Fprintf(b, `<text class="name" x="%d" y="%d">%s</text>`+"\n", middle, line, html.EscapeString(s.name))
	for i, text := range s.lines {
		fmt.Fprintf(b, `<text class="line" x="%d" y="%d">%s</text>`+"\n", middle, line+20+17*i, html.EscapeString(text))
	}
}

// arrow draws an arrow that just does not touch the boxes at its ends.
func arrow(b *bytes.Buffer, class string, from, to, y int) {
	towards := 1
	if to < from {
		towards = -1
	}
	from, to = from+4*towards, to-4*towards
	fmt.Fprintf(b, `<path class="%s" stroke-width="2" d="M%d %dH%d"/>`+"\n", class, from, y, to-7*towards)
	fmt.Fprintf(b, `<path class="%shead" d="M%d %dl%d -5v10z"/>`+"\n", class, to, y, -9*towards)
}
