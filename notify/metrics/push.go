package metrics

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus/push"
)

// pushTime bounds how long a Pushgateway is waited for.
const pushTime = 10 * time.Second

// Push leaves the metrics with a Pushgateway, in a group of this program and these jobs: those of
// an earlier process are replaced. The address may hold a user and a password, and its path a
// secret as well; errors name the host alone.
func (m *Metrics) Push(ctx context.Context, gateway *url.URL, jobs string) error {
	ctx, cancel := context.WithTimeout(ctx, pushTime)
	defer cancel()
	plain := *gateway
	plain.User = nil
	pusher := push.New(strings.TrimSuffix(plain.String(), "/"), "breaking_backups").Collector(m).
		Grouping("jobs", strings.ToValidUTF8(jobs, "\ufffd")).
		Client(&pushing{http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}})
	if user := gateway.User; user != nil {
		password, _ := user.Password()
		pusher.BasicAuth(user.Username(), password)
	}
	if err := pusher.PushContext(ctx); err != nil {
		if wrapped := (*url.Error)(nil); errors.As(err, &wrapped) {
			err = wrapped.Err
		}
		return fmt.Errorf("pushgateway %s: %w", gateway.Host, err)
	}
	return nil
}

// pushing sends what is pushed. An answer that is not as it should be is an error here already:
// Prometheus's library would read it to its end, however long it is, and tell the whole address.
type pushing struct{ http.Client }

func (p *pushing) Do(r *http.Request) (*http.Response, error) {
	answer, err := p.Client.Do(r)
	if err != nil || answer.StatusCode == http.StatusOK || answer.StatusCode == http.StatusAccepted {
		return answer, err
	}
	answer.Body.Close()
	return nil, fmt.Errorf("it answers %d %s", answer.StatusCode, http.StatusText(answer.StatusCode))
}
