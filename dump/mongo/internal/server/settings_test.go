package server

import (
	"reflect"
	"slices"
	"strings"
	"testing"

	"go.mongodb.org/mongo-driver/v2/mongo/options"
)

// What the driver may be told is on the list of settings.go, or is nothing that a URI says. One
// that is new is to be read, and put there.
func TestOptionsOfTheDriver(t *testing.T) {
	known := strings.Fields(`AppName Auth AutoEncryptionOptions ConnectTimeout Compressors Dialer Direct DisableCertificateRevocationCheck
		DisableOCSPEndpointCheck DriverInfo HeartbeatInterval Hosts HTTPClient LoadBalanced LocalThreshold LoggerOptions MaxConnIdleTime
		MaxPoolSize MinPoolSize MaxConnecting PoolMonitor Monitor ServerMonitor ReadConcern ReadPreference BSONOptions Registry ReplicaSet
		RetryReads RetryWrites ServerAPIOptions ServerMonitoringMode ServerSelectionTimeout SRVMaxHosts SRVServiceName Timeout TLSConfig
		WriteConcern ZlibLevel ZstdLevel MaxAdaptiveRetries EnableOverloadRetargeting Crypt Deployment Custom`)
	all := reflect.TypeFor[options.ClientOptions]()
	for i := range all.NumField() {
		if f := all.Field(i); f.IsExported() && !slices.Contains(known, f.Name) {
			t.Errorf("the driver has an option that is on no list: %s", f.Name)
		}
	}
}
