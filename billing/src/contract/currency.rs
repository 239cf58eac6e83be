//! Decimals of each currency's smallest coin, by ISO 4217 (list one, active codes). Funds, metals and test codes
//! are no money for a contract.

/// Codes with two decimals.
const TWO: &str = "AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BMD BND BOB BRL BSD BTN BWP BYN BZD CAD CDF CHF CNY COP CRC \
    CUP CVE CZK DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GTQ GYD HKD HNL HTG HUF IDR ILS INR IRR JMD KES KGS KHR \
    KPW KYD KZT LAK LBP LKR LRD LSL MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MYR MZN NAD NGN NIO NOK NPR NZD PAB PEN PGK \
    PHP PKR PLN QAR RON RSD RUB SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP STN SVC SYP SZL THB TJS TMT TOP TRY TTD TWD TZS UAH \
    USD UYU UZS VES WST XCD XCG YER ZAR ZMW ZWG";
const ZERO: &str = "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX VND VUV XAF XOF XPF";
const THREE: &str = "BHD IQD JOD KWD LYD OMR TND";

/// Decimals of a currency's smallest coin; none: no such code.
pub fn minor_digits(code: &str) -> Option<u32> {
    if code.len() != 3 {
        return None;
    }
    let lists = [(TWO, 2), (ZERO, 0), (THREE, 3)];
    lists.into_iter().find(|(codes, _)| codes.split_ascii_whitespace().any(|known| known == code)).map(|(_, digits)| digits)
}
