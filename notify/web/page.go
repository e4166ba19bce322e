package web

import (
	"bytes"
	"embed"
	"html/template"
	"net/http"
	"net/url"
	"time"
)

//go:embed page/*.html page/page.css
var pageFiles embed.FS

var pageTemplates = template.Must(template.New("page").Funcs(template.FuncMap{
	"name": name, "words": words, "span": span, "age": age, "several": several,
	"count": func(n int64) string { return count(n) }, "number": func(n int) string { return count(n) },
	"size": func(n uint64) string { return size(float64(n)) },
}).ParseFS(pageFiles, "page/*.html"))

// refreshes is after how long a page is asked for again while a run goes on, or is to begin.
const refreshes = "5"

// pages names the addresses of the page, each of which passes the gate.
func (s *site) pages(handle func(pattern string, page http.HandlerFunc)) {
	handle("GET /{$}", s.overview)
	handle("GET /job/{job}", s.jobPage)
	handle("GET /page.css", func(w http.ResponseWriter, r *http.Request) {
		http.ServeFileFS(w, r, pageFiles, "page/page.css")
	})
}

// page is what all pages have.
type page struct {
	Title   string
	Zone    string
	Version string
	Now     moment
	Metrics bool

	Running bool   // a run goes on, or waits for its turn
	Paused  bool   // and whoever looks does not want the page to change
	Pause   string // the address that changes that
}

func (s *site) newPage(r *http.Request, at time.Time, title string, running bool) page {
	p := page{
		Title: title, Zone: s.Zone.String(), Version: s.Version, Now: s.moment(at), Metrics: s.Metrics != nil,
		Running: running, Paused: r.URL.Query().Get("refresh") == "off",
	}
	query := r.URL.Query()
	query.Set("refresh", "off")
	if p.Paused {
		query.Del("refresh")
	}
	p.Pause = (&url.URL{Path: r.URL.Path, RawPath: r.URL.RawPath, RawQuery: query.Encode()}).String()
	return p
}

// show answers with a page, which is made whole before the first byte leaves.
func (p page) show(w http.ResponseWriter, code int, of string, value any) {
	var text bytes.Buffer
	if err := pageTemplates.ExecuteTemplate(&text, of, value); err != nil {
		fail(w, http.StatusInternalServerError, "this program has made a mistake in answering")
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	if p.Running && !p.Paused {
		w.Header().Set("Refresh", refreshes) // not in the page: what is read aloud would begin anew for those who cannot stop it
	}
	w.WriteHeader(code)
	_, _ = w.Write(text.Bytes()) // who asked may have left
}

// moment is a time, for people and for programs.
type moment struct{ Text, Exact string }

// moment is empty where there is no time.
func (s *site) moment(at time.Time) moment {
	if at.IsZero() {
		return moment{}
	}
	at = at.In(s.Zone)
	return moment{at.Format("2 Jan 2006 15:04 MST"), at.Format(time.RFC3339)}
}

// overviewPage is the page of all jobs.
type overviewPage struct {
	page
	Headline string
	Wrong    []jobView // what somebody has to do something about
	Jobs     []jobView
}

// overview shows all jobs: first what is wrong, since when, and what to do.
func (s *site) overview(w http.ResponseWriter, r *http.Request) {
	now := s.now()
	problems := s.problems()
	var all overviewPage
	running, unknown := false, 0
	for _, state := range s.Board.Jobs() {
		job := s.newJobView(state, problems[state.Name], now)
		all.Jobs = append(all.Jobs, job)
		if len(job.Problems) > 0 {
			all.Wrong = append(all.Wrong, job)
		}
		if job.Class == stateNone {
			unknown++
		}
		running = running || state.Running != nil || state.Queued
	}
	all.Headline = headline(len(all.Jobs), len(all.Wrong), unknown)
	all.page = s.newPage(r, now, all.Headline, running)
	all.show(w, http.StatusOK, "overview", all)
}

func headline(jobs, wrong, unknown int) string {
	switch {
	case jobs == 0:
		return "No job yet"
	case wrong == 1:
		return "1 of " + several(jobs, "job", "jobs") + " needs attention"
	case wrong > 1:
		return count(wrong) + " of " + several(jobs, "job", "jobs") + " need attention"
	case unknown == jobs && jobs == 1:
		return "The job has no backup yet"
	case unknown == jobs:
		return "No job has a backup yet"
	case unknown > 0:
		return "Nothing is wrong; " + several(unknown, "job has", "jobs have") + " no backup yet"
	case jobs == 1:
		return "The job is well"
	}
	return "All " + count(jobs) + " jobs are well"
}

// jobPage shows one job.
func (s *site) jobPage(w http.ResponseWriter, r *http.Request) {
	now := s.now()
	state, known := s.Board.Named(r.PathValue("job"))
	if !known {
		p := s.newPage(r, now, "There is no job of this name", false)
		p.show(w, http.StatusNotFound, "nojob", p)
		return
	}
	all := s.newDetails(state, s.problems()[state.Name], now, r.URL.Query())
	all.page = s.newPage(r, now, name(state.Name)+": "+all.Word, state.Running != nil || state.Queued)
	all.show(w, http.StatusOK, "job", all)
}

// path is the address of a job's page; empty: its name cannot be one.
func path(job string) string {
	escaped := url.PathEscape(job)
	if job == "" || job == "." || job == ".." || len(escaped) > mostHeader/4 {
		return ""
	}
	return "/job/" + escaped
}
