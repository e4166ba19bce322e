package main

import (
	"io"
	"net"
	"net/http"
	"os"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

// listen sets HTTP_ADDR to an address of this machine that nobody uses.
func cmdListen(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 0 {
		ts.Fatalf("usage: listen")
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	ts.Check(err)
	ts.Check(l.Close())
	ts.Setenv("HTTP_ADDR", l.Addr().String())
}

// http METHOD PATH STATUS [REGEXP] asks the program that serves on HTTP_ADDR, with the token in
// TOKEN or the user and password in BASIC, until it answers with the status and a text that
// matches, a minute at most. The answer is in the file answer.
func cmdHTTP(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 3 || len(args) > 4 {
		ts.Fatalf("usage: http method path status [regexp]")
	}
	want, err := strconv.Atoi(args[2])
	ts.Check(err)
	wanted := regexp.MustCompile(strings.Join(args[3:], ""))
	var last string
	ok := poll(time.Minute, func() bool {
		req, err := http.NewRequest(args[0], "http://"+ts.Getenv("HTTP_ADDR")+args[1], nil)
		ts.Check(err)
		if token := ts.Getenv("TOKEN"); token != "" {
			req.Header.Set("Authorization", "Bearer "+token)
		}
		if user, password, ok := strings.Cut(ts.Getenv("BASIC"), ":"); ok {
			req.SetBasicAuth(user, password)
		}
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			last = err.Error()
			return false
		}
		defer resp.Body.Close()
		text, err := io.ReadAll(resp.Body)
		last = resp.Status + "\n" + string(text)
		ts.Check(os.WriteFile(ts.MkAbs("answer"), text, 0o600))
		return err == nil && resp.StatusCode == want && wanted.Match(text)
	})
	if !ok {
		ts.Fatalf("%s %s: want %d %s, got %s", args[0], args[1], want, wanted, last)
	}
}
