module peer

go 1.22

require common v0.0.0

replace common => ../go_common
