package main

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"os/exec"
	"slices"
	"strings"
	"syscall"
	"time"
)

// usage is what a finished command took.
type usage struct {
	wall, cpu float64 // seconds
	server    float64 // seconds of the server's processor time, of a side of compare
	peak      float64 // MiB, of the largest process
}

// sh runs a shell command.
func sh(script string) (usage, error) {
	cmd := exec.Command("bash", "-o", "pipefail", "-c", script)
	var out strings.Builder
	cmd.Stdout, cmd.Stderr = &out, &out
	began := time.Now()
	err := cmd.Run()
	u := usage{wall: time.Since(began).Seconds()}
	if err != nil {
		return u, fmt.Errorf("%.80s: %w\n%s", script, err, out.String())
	}
	r := cmd.ProcessState.SysUsage().(*syscall.Rusage)
	u.cpu = time.Duration(r.Utime.Nano() + r.Stime.Nano()).Seconds()
	u.peak = float64(r.Maxrss) / 1024
	return u, nil
}

// output runs a shell command and returns what it prints.
func output(script string) (string, error) {
	out, err := exec.Command("bash", "-o", "pipefail", "-c", script).Output()
	if err != nil {
		return "", fmt.Errorf("%.80s: %w", script, err)
	}
	return string(out), nil
}

func quote(s string) string { return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'" }

// compare runs ours and theirs in turn; before comes before each and does not count.
func compare(ours, theirs, before string) (a, b []usage, err error) {
	for range pairs {
		for _, side := range []struct {
			script string
			list   *[]usage
		}{{ours, &a}, {theirs, &b}} {
			if before != "" {
				if _, err := sh(before); err != nil {
					return nil, nil, err
				}
			}
			began, err := serverTime()
			if err != nil {
				return nil, nil, err
			}
			u, err := sh(side.script)
			if err != nil {
				return nil, nil, err
			}
			ended, err := serverTime()
			if err != nil {
				return nil, nil, err
			}
			u.server = ended - began
			*side.list = append(*side.list, u)
		}
	}
	return a, b, nil
}

func median[T cmp.Ordered](list []T) T {
	list = slices.Clone(list)
	slices.Sort(list)
	return list[len(list)/2]
}

// row prints a figure of both sides, with the median of the pairs' ratios.
func row(what, target string, a, b []usage, figure func(usage) float64) {
	var ours, theirs, ratios []float64
	for i := range a {
		ours, theirs = append(ours, figure(a[i])), append(theirs, figure(b[i]))
		ratios = append(ratios, figure(a[i])/figure(b[i]))
	}
	fmt.Printf("| %s | %s | %.2f s | %.2f s | %.2f |\n", what, target, median(ours), median(theirs), median(ratios))
}

// rows prints wall and processor time, and where it is looked at the server's.
func rows(what, wallTarget, cpuTarget string, a, b []usage) {
	row(what+", wall", wallTarget, a, b, wall)
	row(what+", our processor time", cpuTarget, a, b, cpu)
	if server != 0 {
		row(what+", the server's processor time", "", a, b, func(u usage) float64 { return u.server })
	}
}

func wall(u usage) float64 { return u.wall }
func cpu(u usage) float64  { return u.cpu }

// peak is the median of the largest processes', in MiB.
func peak(list []usage) float64 {
	var peaks []float64
	for _, u := range list {
		peaks = append(peaks, u.peak)
	}
	return median(peaks)
}

// added returns what the newest snapshot of a repository added, in MB.
func added(repository string) (float64, error) {
	out, err := exec.Command("restic", "-r", repository, "snapshots", "--json", "--latest", "1").Output()
	if err != nil {
		return 0, err
	}
	var list []struct {
		Summary struct {
			DataAdded float64 `json:"data_added"`
		}
	}
	err = json.Unmarshal(out, &list)
	if err == nil && len(list) == 0 {
		err = errors.New("there are none")
	}
	if err != nil {
		return 0, fmt.Errorf("snapshots of %s: %w", repository, err)
	}
	return list[len(list)-1].Summary.DataAdded / 1e6, nil
}
