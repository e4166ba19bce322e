package progress

import (
	"io"

	"github.com/cheggaaa/pb/v3"

	"github.com/breaking-backups/breaking-backups/cmd/breaking-backups/internal/terminal"
)

// What a bar looks like: with a total, with one that is estimated, and without. It is as wide as
// what stands beside it leaves room for.
const (
	withTotal = `{{string . "doing"}} {{counters . "%s of %s"}} {{bar . "[" "=" ">" " " "]"}} {{string . "rate"}}`
	withAbout = `{{string . "doing"}} {{counters . "%s of about %s"}} {{bar . "[" "=" ">" " " "]"}} {{string . "rate"}}`
	without   = `{{string . "doing"}} {{counters .}} {{etime .}} {{string . "rate"}}`
)

// A bar is how far one phase has come, as a line of text. The library draws it; the line goes to
// the screen as a whole.
type bar struct{ drawing *pb.ProgressBar }

func newBar(doing string) *bar {
	drawing := pb.New64(0).SetWriter(io.Discard).Set(pb.Static, true).Set(pb.Bytes, true).Set(pb.SIBytesPrefix, true)
	return &bar{drawing.Set("doing", doing).Start()}
}

// line is the bar for so many bytes of a total, 0 if nobody knows it, in a terminal that is so
// wide.
func (b *bar) line(passed, total int64, estimated bool, rate, table string, width int) string {
	template, room := withTotal, width/5 // which leaves some for the bar
	switch {
	case total == 0:
		template, room = without, width
	case estimated:
		template = withAbout
	}
	if table != "" {
		rate += "  " + pb.StripString(terminal.Visible(table), room)
	}
	b.drawing.SetTemplateString(template).SetTotal(total).SetCurrent(passed).SetWidth(width-1).Set("rate", rate) // the last column of some terminals begins a new line
	return pb.StripString(b.drawing.String(), width-1)
}
